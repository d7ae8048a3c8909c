"""Cameras behind one contract; `open_camera` chooses by the source that was named."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hemonode.device.camera.source import without_credentials
from hemonode.errors import DeviceError

if TYPE_CHECKING:
    from hemonode.device.camera.contract import Camera


class CameraEntry(NamedTuple):
    """Where a kind of camera lives.

    Attributes:
        module: that has its `open_camera(source, rate_hz, loop)`.
        in_child: whether it runs in a process of its own, since its driver may hang for ever.
    """

    module: str
    in_child: bool = False


# One line per kind.
CAMERAS = {
    "simulated": CameraEntry("hemonode.device.camera.simulated"),
    "folder": CameraEntry("hemonode.device.camera.folder"),
    "video": CameraEntry("hemonode.device.camera.video"),
    "v4l2": CameraEntry("hemonode.device.camera.v4l2.camera"),
    "csi": CameraEntry("hemonode.device.camera.csi", in_child=True),
    "genicam": CameraEntry("hemonode.device.camera.genicam.camera", in_child=True),
    "stream": CameraEntry("hemonode.device.camera.stream", in_child=True),
}

VIDEO_SUFFIXES = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"}
STREAM_SCHEMES = {"rtsp", "rtsps", "http", "https"}
DEVICE_FOLDERS = ("/dev/video", "/dev/v4l/")

# These are named by a path or an address alone.
_WITHOUT_PREFIX = {"folder", "video", "stream"}


def camera_kind(source: str) -> str:
    """Which kind of camera a source names: a key of CAMERAS.

    Raises:
        DeviceError: the source names no camera and no file.
    """
    kind = _named_kind(source)
    if kind is not None:
        return kind
    path = Path(source)
    # Asking for a path too long to be one, or with a zero in it, fails instead of answering no.
    try:
        there, is_file = path.exists(), path.is_file()
    except (OSError, ValueError):
        there = is_file = False
    if not there:
        raise DeviceError(
            f"There is no folder, file or camera {without_credentials(source)!r}; give 'simulated', a folder of "
            "pictures, a picture, a video file, "
            "/dev/video0, v4l2:serial=NUMBER, csi:0, genicam:NUMBER or an address (rtsp://…, http://…)."
        )
    return "video" if is_file and path.suffix.lower() in VIDEO_SUFFIXES else "folder"


def names_file(source: str) -> bool:
    """Whether a source is the path of a folder, picture or video, there or not, and no camera."""
    return _named_kind(source) is None


def open_camera(source: str, *, rate_hz: float | None = None, loop: bool = True) -> Camera:
    """Open the camera that `source` names.

    Args:
        source: one of
            - "simulated", with options "simulated:seed=3,stain=pink";
            - a folder, a picture or a video file;
            - "v4l2:/dev/v4l/by-id/NAME", "v4l2:serial=NUMBER" or "/dev/video0", with options
              "…,width=1280,height=720,format=MJPG,rate=30,exposure_ms=10";
            - "csi:0", "genicam:SERIAL", "rtsp://…", "http://…", "https://…".
        rate_hz: frames a second; None takes what is usual for the source.
        loop: whether a replay begins again at its end, or ends.

    Raises:
        DeviceError: there is no such source, it holds nothing to show, or the rate or an option is not usable.
    """
    module, in_child = CAMERAS[camera_kind(source)]
    camera: Camera
    if in_child:
        child = importlib.import_module("hemonode.device.camera.child.camera")
        camera = child.ChildCamera(module, source, rate_hz, loop)
    else:
        camera = importlib.import_module(module).open_camera(source, rate_hz, loop)
    return camera


def _named_kind(source: str) -> str | None:
    """The kind that the text itself tells, without a look at the disk; None for a path."""
    kind = source.partition(":")[0]
    if kind in CAMERAS and kind not in _WITHOUT_PREFIX:
        return kind
    if kind.lower() in STREAM_SCHEMES and source[len(kind) :].startswith("://"):
        return "stream"
    return "v4l2" if source.startswith(DEVICE_FOLDERS) else None
