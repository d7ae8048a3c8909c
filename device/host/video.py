"""The video devices that Linux shows (V4L2): which are cameras, what they are called, and whether we may open them."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from hemonode.device.camera.v4l2 import abi
from hemonode.device.host.files import first_line, number


@dataclass(frozen=True)
class VideoDevice:
    """One of /dev/video*.

    Attributes:
        path: /dev/video0.
        name: as its driver calls it.
        by_id: the name below /dev/v4l/by-id that stays when it is plugged in elsewhere, or None.
        captures: whether it gives pictures; None where it could not be asked.
        permitted: whether we may open it.
        by_path: the name below /dev/v4l/by-path that stays as long as it is plugged in there, or None.
        serial: as its maker gave it, or None.
        index: 0 for the first device that its driver shows of it, 1 for the second, …
    """

    path: Path
    name: str
    by_id: Path | None
    captures: bool | None
    permitted: bool
    by_path: Path | None = None
    serial: str | None = None
    index: int = 0

    @property
    def lasting(self) -> Path:
        """The path by which it is found again, as far as there is one."""
        return self.by_id or self.by_path or self.path


def find_video_devices(root: Path = Path("/")) -> list[VideoDevice]:
    """All of them, by their numbers. A camera usually shows a second one, for its metadata."""
    by_id, by_path = (_links(root / "dev/v4l" / folder) for folder in ("by-id", "by-path"))
    devices = sorted((root / "dev").glob("video[0-9]*"), key=lambda path: (len(path.name), path.name))
    found = []
    for path in devices:
        told = root / "sys/class/video4linux" / path.name
        found.append(
            VideoDevice(
                path=path,
                name=first_line(told / "name") or path.name,
                by_id=by_id.get(path.resolve()),
                captures=_captures(path),
                permitted=os.access(path, os.R_OK | os.W_OK),
                by_path=by_path.get(path.resolve()),
                # `device` is the USB interface; the USB device that has the number is what it belongs to.
                serial=first_line((told / "device").resolve().parent / "serial") or None,
                index=number(told / "index") or 0,
            )
        )
    return found


def gives_pictures(capability: abi.Capability) -> bool:
    """What a driver says of the device."""
    return bool(capabilities(capability) & (abi.CAP_VIDEO_CAPTURE | abi.CAP_VIDEO_CAPTURE_MPLANE))


def capabilities(capability: abi.Capability) -> int:
    """What the device itself can do: a driver first tells what all devices of a camera can do together."""
    whole = int(capability.capabilities)
    return int(capability.device_caps) if whole & abi.CAP_DEVICE_CAPS else whole


def _links(folder: Path) -> dict[Path, Path]:
    """What the links in a folder lead to, and the first that leads there."""
    return {link.resolve(): link for link in sorted(folder.glob("*"), reverse=True)}


def _captures(path: Path) -> bool | None:
    """Asking does not disturb another program's stream."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return None
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        # Unplugged meanwhile, or not ours to open, which `permitted` tells.
        return None
    try:
        capability = abi.Capability()
        fcntl.ioctl(handle, abi.QUERYCAP, capability)
        return gives_pictures(capability)
    except OSError as error:
        return False if error.errno == errno.ENOTTY else None
    finally:
        os.close(handle)
