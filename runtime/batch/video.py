"""The frames of a video, one after another, and whether it ends where it says it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.errors import PictureError
from hemonode.runtime.batch.names import printable

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})

_MISCOUNTED = 0.02
"""Some containers state only a duration; the number of frames made from it is off by a few."""


@dataclass(frozen=True)
class VideoFrame:
    """One frame of a video, already decoded."""

    name: str
    path: Path
    pixels: npt.NDArray[np.uint8]

    def read(self) -> npt.NDArray[np.uint8]:
        """uint8 [H, W, 3] BGR."""
        return self.pixels

    def note(self) -> str:
        """Nothing to say of a single frame."""
        return ""


def is_video(source: str) -> bool:
    """Whether a source is a video file, by its name."""
    return Path(source).suffix.lower() in VIDEO_SUFFIXES and Path(source).is_file()


def open_video(path: Path, every: int) -> tuple[Iterator[VideoFrame], int | None]:
    """Every n-th frame of a video, and about how many those are, if it says so.

    Raises:
        PictureError: its name is not in UTF-8, or it cannot be opened, at once; it ends before its first frame or far
            from where it says it does, when that is reached.
    """
    if printable(str(path)) != str(path):
        # OpenCV 5.0 crashes on such a name.
        raise PictureError(f"{path} has a name or folder that is not in UTF-8: rename it")
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise PictureError(f"{path} cannot be read as a video: it may be damaged; convert it to MP4 (H.264)")
    stated = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
    return _frames(capture, path, every, stated), -(-stated // every) or None


def _frames(capture: cv2.VideoCapture, path: Path, every: int, stated: int) -> Iterator[VideoFrame]:
    stem = printable(path.stem)
    number = 0
    try:
        while capture.grab():
            if number % every == 0:
                done, pixels = capture.retrieve()
                if not done:
                    break
                yield VideoFrame(f"{stem}_{number:06d}", path, np.asarray(pixels, np.uint8))
            number += 1
    finally:
        capture.release()
    if number == 0:
        raise PictureError(f"{path} holds no frame that can be decoded: it may be damaged; convert it to MP4 (H.264)")
    if number < stated - max(2, stated * _MISCOUNTED):
        raise PictureError(f"{path} ends after {number} of {stated} frames: it may be truncated; copy it again")
