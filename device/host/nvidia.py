"""Whether the machine has an NVIDIA GPU, whatever is installed for it."""

from __future__ import annotations

from pathlib import Path

from hemonode.device.host.files import first_line
from hemonode.device.host.jetson import find_jetson

_VENDOR = "0x10de"
_DISPLAY_CLASSES = ("0x0300", "0x0302")
_DRIVER_FILES = (
    "dev/nvidiactl",
    "dev/nvhost-gpu",
    "dev/nvgpu",
    "proc/driver/nvidia/version",
    "usr/lib/wsl/lib/libcuda.so.1",
)


def has_nvidia_gpu(root: Path = Path("/")) -> bool:
    """A graphics card of NVIDIA's on the PCI bus, a Jetson, or NVIDIA's driver."""
    return find_jetson(root) is not None or has_nvidia_driver(root) or _has_card(root)


def has_nvidia_driver(root: Path = Path("/")) -> bool:
    """Whether NVIDIA's driver has made its files here."""
    return any((root / name).exists() for name in _DRIVER_FILES)


def _has_card(root: Path) -> bool:
    return any(
        first_line(device / "vendor") == _VENDOR and (first_line(device / "class") or "").startswith(_DISPLAY_CLASSES)
        for device in (root / "sys/bus/pci/devices").glob("*")
    )
