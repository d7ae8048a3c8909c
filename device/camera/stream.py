"""A camera in the network: RTSP and other video through FFmpeg, pictures over HTTP by ourselves."""

from __future__ import annotations

import os

import cv2

from hemonode.device.camera.contract import PATIENCE_S, Camera
from hemonode.device.camera.mjpeg import open_pictures
from hemonode.device.camera.opencv import OpenCvCamera
from hemonode.device.camera.pace import checked_rate_hz
from hemonode.device.camera.source import without_credentials
from hemonode.errors import DeviceError

OPENS_WITHIN_S = 10.0

# TCP, since with UDP what is lost is painted over in the picture; and no pictures held back to even out their rate.
_FFMPEG_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"


def open_camera(source: str, rate_hz: float | None, loop: bool) -> Camera:  # noqa: ARG001 - a stream has no end
    """Open an address. User and password may stand in it; they are in the camera's identity, and nowhere else.

    Raises:
        DeviceError: nobody answers there, or it gives no video.
    """
    name = without_credentials(source)
    remarks: tuple[str, ...] = ()
    if rate_hz is not None:
        checked_rate_hz(rate_hz)
        remarks = (f"{name} keeps a rate of its own; {rate_hz:g} frames a second were asked for.",)
    if source.lower().startswith("http"):
        pictures = open_pictures(source, remarks)
        if pictures is not None:
            return pictures
    return OpenCvCamera(_open_video(source, name), name, source, remarks)


def _open_video(source: str, name: str) -> cv2.VideoCapture:
    # Options come to FFmpeg by OpenCV's environment alone.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _FFMPEG_OPTIONS)
    limits_ms = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(1000 * OPENS_WITHIN_S)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(1000 * PATIENCE_S)),
    ]
    # Without a backend named, OpenCV tries others, which log the whole address.
    capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits_ms)
    if not capture.isOpened():
        capture.release()
        raise DeviceError(f"{name} cannot be opened; check the address, user and password, and whether it is on.")
    return capture
