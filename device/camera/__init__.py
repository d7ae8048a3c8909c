"""Cameras behind one contract; `open_camera` chooses by the source that was named."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from hemonode.errors import DeviceError

if TYPE_CHECKING:
    from hemonode.device.camera.contract import Camera

# One line per kind. Each module has `open_camera(source, rate_hz, loop)`.
CAMERAS = {
    "simulated": "hemonode.device.camera.simulated",
    "folder": "hemonode.device.camera.folder",
    "video": "hemonode.device.camera.video",
}

VIDEO_SUFFIXES = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"}


def camera_kind(source: str) -> str:
    """Which kind of camera a source names: a key of CAMERAS.

    Raises:
        DeviceError: the source names no camera and no file.
    """
    if source.partition(":")[0] == "simulated":
        return "simulated"
    path = Path(source)
    if not path.exists():
        raise DeviceError(
            f"There is no camera {source!r}; give 'simulated', a folder of pictures, a picture or a video file."
        )
    return "video" if path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES else "folder"


def open_camera(source: str, *, rate_hz: float | None = None, loop: bool = True) -> Camera:
    """Open the camera that `source` names.

    Args:
        source: "simulated" with options ("simulated:seed=3,stain=pink"), a folder, a picture or a video file.
        rate_hz: frames a second; None takes what is usual for the source.
        loop: whether a replay begins again at its end, or ends.

    Raises:
        DeviceError: there is no such source, it holds nothing to show, or the rate or an option is not usable.
    """
    module = importlib.import_module(CAMERAS[camera_kind(source)])
    camera: Camera = module.open_camera(source, rate_hz, loop)
    return camera
