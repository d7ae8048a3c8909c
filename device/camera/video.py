"""Replays a video file as if a camera took it."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.device.camera.contract import Camera
from hemonode.device.camera.pace import Pace
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

RATE_WITHOUT_ONE_HZ = 25.0
"""For a file that does not state its own rate, or states nonsense."""


class VideoCamera(Camera):
    """Frames of a video in order, at the file's own rate where none is asked for."""

    def __init__(self, path: Path, rate_hz: float | None, loop: bool) -> None:
        self.name = path.name
        self.identity = str(path)
        self._path = path
        self._loop = loop
        # OpenCV crashes where a file is closed while it is read.
        self._one_at_a_time = threading.Lock()
        self._capture = self._open()
        # How many frames the file says it has; 0 or less where it does not say.
        self._promised = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        own_hz = self._capture.get(cv2.CAP_PROP_FPS)
        self._pace = Pace(rate_hz if rate_hz is not None else own_hz if 0 < own_hz <= 1000 else RATE_WITHOUT_ONE_HZ)
        self.patience_s = self._pace.patience_s
        self._sequence = 0
        self._in_pass = 0
        # A file without a single frame is found on opening, not at the first read.
        self._waiting = self._decode()

    def read(self) -> Frame | None:
        """The next frame, when it is due."""
        pixels, self._waiting = self._waiting, None
        with self._one_at_a_time:
            if self._pace.stopped:
                raise self._closed()
            if pixels is None:
                pixels = self._decode()
            if pixels is None and self._loop:
                self._capture.release()
                self._capture = self._open()
                self._in_pass = 0
                pixels = self._decode()
        if pixels is None:
            return None
        captured_ns = self._pace.wait()
        if captured_ns is None:
            raise self._closed()
        frame = Frame(pixels, self._sequence, captured_ns)
        self._sequence += 1
        return frame

    def close(self) -> None:
        """Release the file."""
        self._pace.stop()
        with self._one_at_a_time:
            self._capture.release()

    def _closed(self) -> DeviceError:
        return DeviceError(f"The replay of {self._path} was closed; open it again to read from it.")

    def _open(self) -> cv2.VideoCapture:
        try:
            name = str(self._path).encode("utf-8").decode("utf-8")
        except UnicodeEncodeError as error:
            # OpenCV crashes on such a name.
            shown = str(self._path).encode("utf-8", "backslashreplace").decode("utf-8")
            raise DeviceError(f"The name of the video {shown} is not in UTF-8; rename it.") from error
        capture = cv2.VideoCapture(name)
        if not capture.isOpened():
            capture.release()
            raise DeviceError(f"The video {self._path} cannot be opened: it is cut off, or no video; copy it again.")
        return capture

    def _decode(self) -> npt.NDArray[np.uint8] | None:
        """The next frame uint8 [H, W, 3], or None at the end of the file."""
        there, pixels = self._capture.read()
        if there:
            self._in_pass += 1
            return np.asarray(pixels, np.uint8)
        # Some containers state their length from the duration, which can be a little more than they hold.
        if self._in_pass == 0 or self._in_pass < self._promised - max(1, self._promised // 50):
            raise DeviceError(
                f"The video {self._path} breaks off after {self._in_pass} of {max(self._promised, 0)} frames: "
                "it is cut off or damaged; copy it again."
            )
        return None


def open_camera(source: str, rate_hz: float | None, loop: bool) -> VideoCamera:
    """Open a video file.

    Raises:
        DeviceError: the file is no video, has no frame that can be decoded, or a name that is not in UTF-8.
    """
    return VideoCamera(Path(source), rate_hz, loop)
