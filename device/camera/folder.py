"""Replays a folder of pictures, or one picture, as if a camera took them."""

from __future__ import annotations

import logging
from pathlib import Path

from hemonode.device.camera.contract import Camera
from hemonode.device.camera.pace import Pace
from hemonode.device.frame import Frame
from hemonode.device.pictures import PICTURE_SUFFIXES, read_picture
from hemonode.errors import DeviceError, PictureError

USUAL_RATE_HZ = 5.0

logger = logging.getLogger(__name__)


class FolderCamera(Camera):
    """Pictures in the order of their names. One that cannot be read is logged once and passed over."""

    def __init__(self, path: Path, rate_hz: float, loop: bool) -> None:
        self.name = path.name or str(path)
        self.identity = str(path)
        self._path = path
        self._pictures = _pictures(path)
        self._loop = loop
        self._pace = Pace(rate_hz)
        self.patience_s = self._pace.patience_s
        self._next = 0
        self._sequence = 0
        self._broken: set[Path] = set()

    def read(self) -> Frame | None:
        """The next picture that can be read, when it is due."""
        if self._pace.stopped:
            raise self._closed()
        while len(self._broken) < len(self._pictures):
            if self._next == len(self._pictures):
                if not self._loop:
                    return None
                self._next = 0
            picture = self._pictures[self._next]
            self._next += 1
            frame = None if picture in self._broken else self._frame(picture)
            if frame is not None:
                return frame
        raise DeviceError(f"None of the {len(self._pictures)} pictures in {self._path} can be read; see the log.")

    def close(self) -> None:
        """End the replay."""
        self._pace.stop()

    def _closed(self) -> DeviceError:
        return DeviceError(f"The replay of {self._path} was closed; open it again to read from it.")

    def _frame(self, picture: Path) -> Frame | None:
        try:
            pixels = read_picture(picture)
        except PictureError as error:
            logger.warning("The replay goes on without a picture: %s", error)
            self._broken.add(picture)
            return None
        captured_ns = self._pace.wait()
        if captured_ns is None:
            raise self._closed()
        frame = Frame(pixels, self._sequence, captured_ns)
        self._sequence += 1
        return frame


def open_camera(source: str, rate_hz: float | None, loop: bool) -> FolderCamera:
    """Open a folder or a picture.

    Raises:
        DeviceError: there is no picture, or the folder cannot be read.
    """
    return FolderCamera(Path(source), USUAL_RATE_HZ if rate_hz is None else rate_hz, loop)


def _pictures(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    try:
        found = sorted(
            child for child in path.iterdir() if child.suffix.lower() in PICTURE_SUFFIXES and child.is_file()
        )
    except OSError as error:
        raise DeviceError(
            f"The folder {path} cannot be read ({error.strerror}); check the path and its rights."
        ) from error
    if not found:
        raise DeviceError(
            f"The folder {path} holds no pictures; name one with {', '.join(sorted(PICTURE_SUFFIXES))} files."
        )
    return found
