"""The video devices that Linux shows (V4L2): which are cameras, what they are called, and whether we may open them."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from hemonode.device.host.files import first_line

# linux/videodev2.h: struct v4l2_capability is driver[16], card[32], bus_info[32], version, capabilities, device_caps,
# reserved[3]; VIDIOC_QUERYCAP is _IOR('V', 0, that).
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_QUERY = 0x80000000 | _CAPABILITY.size << 16 | ord("V") << 8
_VIDEO_CAPTURE, _VIDEO_CAPTURE_MULTIPLANAR, _TELLS_DEVICE = 0x1, 0x1000, 0x80000000


@dataclass(frozen=True)
class VideoDevice:
    """One of /dev/video*.

    Attributes:
        path: /dev/video0.
        name: as its driver calls it.
        by_id: the name below /dev/v4l/by-id that stays when it is plugged in elsewhere, or None.
        captures: whether it gives pictures; None where it could not be asked.
        permitted: whether we may open it.
    """

    path: Path
    name: str
    by_id: Path | None
    captures: bool | None
    permitted: bool


def find_video_devices(root: Path = Path("/")) -> list[VideoDevice]:
    """All of them, by their numbers. A camera usually shows a second one, for its metadata."""
    identities = {link.resolve(): link for link in sorted((root / "dev/v4l/by-id").glob("*"))}
    devices = sorted((root / "dev").glob("video[0-9]*"), key=lambda path: (len(path.name), path.name))
    return [
        VideoDevice(
            path=path,
            name=first_line(root / "sys/class/video4linux" / path.name / "name") or path.name,
            by_id=identities.get(path.resolve()),
            captures=_captures(path),
            permitted=os.access(path, os.R_OK | os.W_OK),
        )
        for path in devices
    ]


def gives_pictures(capability: bytes) -> bool:
    """What a driver's answer, a `struct v4l2_capability`, says of the device."""
    *_, driver, device = _CAPABILITY.unpack(capability)
    able = device if driver & _TELLS_DEVICE else driver
    return bool(able & (_VIDEO_CAPTURE | _VIDEO_CAPTURE_MULTIPLANAR))


def _captures(path: Path) -> bool | None:
    """Asking does not disturb another program's stream."""
    try:
        if not stat.S_ISCHR(path.stat().st_mode):
            return None
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        # Unplugged meanwhile, or not ours to open, which `permitted` tells.
        return None
    try:
        return gives_pictures(fcntl.ioctl(handle, _QUERY, bytes(_CAPABILITY.size)))
    except OSError as error:
        return False if error.errno == errno.ENOTTY else None
    finally:
        os.close(handle)
