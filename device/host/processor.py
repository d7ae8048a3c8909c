"""The processor's name and what it can compute."""

from __future__ import annotations

import platform
from pathlib import Path

from hemonode.device.host.files import lines


def processor_name(root: Path = Path("/")) -> str:
    """As its maker calls it, where Linux tells it."""
    for line in lines(root / "proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def processor_features(root: Path = Path("/")) -> frozenset[str]:
    """Linux's words for its instruction sets: "amx_bf16", "avx512_vnni", on ARM "bf16", "i8mm"; none elsewhere."""
    for line in lines(root / "proc/cpuinfo"):
        # "flags" on x86, "Features" on ARM.
        if line.partition(":")[0].strip() in ("flags", "Features"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()
