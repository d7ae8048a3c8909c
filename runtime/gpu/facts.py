"""What a GPU is: the facts that plans are keyed by and the doctor shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True)
class GpuFacts:
    """One NVIDIA GPU.

    Attributes:
        name: "NVIDIA GeForce RTX 4090", "Orin".
        compute_capability: "8.7".
        uuid: "GPU-…", or None where the backend cannot tell.
        total_bytes: of its memory; on an integrated GPU that is the machine's.
        free_bytes: that could be allocated now.
        integrated: whether it shares its memory with the CPU (Jetson).
        driver_version: the newest CUDA that the driver supports, "12.6".
        runtime_version: the CUDA version that the backend was made for, "12.9".
        backend: "cuda-bindings" or "pycuda".
    """

    name: str
    compute_capability: str
    uuid: str | None
    total_bytes: int
    free_bytes: int
    integrated: bool
    driver_version: str
    runtime_version: str
    backend: str


def version_text(number: int) -> str:
    """CUDA's number for a version, 12060, as people write it: "12.6"."""
    return f"{number // 1000}.{number % 1000 // 10}"


def device_uuid(raw: bytes) -> str | None:
    """CUDA's 16 bytes as nvidia-smi prints them; None for those that have none."""
    digits = raw.hex()
    if not digits.strip("0"):
        return None
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return f"GPU-{'-'.join(parts)}"


def free_bytes(told: int, *, integrated: bool) -> int:
    """What could be allocated, from what cudaMemGetInfo told.

    On an integrated GPU that leaves out what the kernel would give back from its caches, so the kernel is asked.
    """
    if not integrated or not _MEMORY.exists():
        return told
    lines = dict(line.split(":", 1) for line in _MEMORY.read_text(encoding="ascii").splitlines())
    return max(told, int(lines["MemAvailable"].split()[0]) * 1024)
