"""Which cameras are plugged in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hemonode.device.host.video import VideoDevice, find_video_devices


@dataclass(frozen=True)
class FoundCamera:
    """One that is plugged in.

    Attributes:
        source: for `open_camera`; it finds the very same one after it was plugged in elsewhere, where that is possible.
        name: for a person.
        kind: a key of `hemonode.device.camera.CAMERAS`.
    """

    source: str
    name: str
    kind: str


# What NVIDIA's driver calls a sensor on a ribbon cable. Its raw pictures need the Jetson's image processor.
_CSI_NAME = "vi-output"


def find_cameras(root: Path = Path("/")) -> tuple[FoundCamera, ...]:
    """All that are plugged in, in the order of their numbers. Takes milliseconds, and disturbs no stream."""
    devices = [device for device in find_video_devices(root) if _gives_pictures(device)]
    names = Counter(device.name for device in devices)
    found = []
    sensors = 0
    for device in devices:
        if device.name.startswith(_CSI_NAME):
            found.append(FoundCamera(f"csi:{sensors}", device.name.removeprefix(_CSI_NAME).strip(", "), "csi"))
            sensors += 1
            continue
        name = device.name if names[device.name] == 1 else f"{device.name} ({device.serial or device.path.name})"
        found.append(FoundCamera(f"v4l2:{device.lasting}", name, "v4l2"))
    return tuple(found)


def _gives_pictures(device: VideoDevice) -> bool:
    # One that is not ours to open is shown: opening it tells what to do. The second device of a camera is for its
    # metadata.
    return device.captures or (device.captures is None and device.index == 0)
