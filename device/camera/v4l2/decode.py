"""Makes a BGR picture of what a camera sent, or finds that part of it is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.device.picture_header import picture_size

Pixels = npt.NDArray[np.uint8]

END_OF_JPEG = b"\xff\xd9"

MISSING_BGR = 128
"""Grey level that JPEG decoders put where no data came: all coefficients zero."""


@dataclass(frozen=True)
class Layout:
    """How a camera's pictures lie in memory. `line_bytes` may be 0 where the format has no lines."""

    format: str
    width: int
    height: int
    line_bytes: int


def decode(data: bytes, layout: Layout) -> Pixels | None:
    """The picture, uint8 [height, width, 3] BGR, or None where it did not arrive whole."""
    return DECODERS[layout.format](data, layout)


def _jpeg(data: bytes, layout: Layout) -> Pixels | None:
    # The size is looked at first, since a damaged one can fill the memory.
    if picture_size(data, "JPEG") != (layout.width, layout.height):
        return None
    # Some cameras never mark the end, and OpenCV insists on it; what follows the first mark is not read.
    marked = np.frombuffer(data + END_OF_JPEG, np.uint8)
    try:
        found = cv2.imdecode(marked, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    if found is None or _ends_in_nothing(found):
        return None
    return np.asarray(found, np.uint8)


def _ends_in_nothing(pixels: npt.NDArray[np.generic]) -> bool:
    """Whether the data ended before the picture: decoders leave the rest grey, and tell nobody but the terminal.

    No scene ends in so even a grey by itself, unless it is all grey, as a test picture may be.
    """
    last = pixels[-4:, -64:]
    return bool((last == MISSING_BGR).all() and (pixels[:4, :64] != MISSING_BGR).any())


def _packed(conversion: int) -> Callable[[bytes, Layout], Pixels | None]:
    """For two bytes a pixel, brightness and colour in turn."""

    def convert(data: bytes, layout: Layout) -> Pixels | None:
        lines = _lines(data, layout, 2)
        if lines is None:
            return None
        return np.asarray(cv2.cvtColor(lines.reshape(layout.height, layout.width, 2), conversion), np.uint8)

    return convert


def _bgr(data: bytes, layout: Layout) -> Pixels | None:
    lines = _lines(data, layout, 3)
    return None if lines is None else lines.reshape(layout.height, layout.width, 3).copy()


def _lines(data: bytes, layout: Layout, pixel_bytes: int) -> Pixels | None:
    """uint8 [height, width · pixel_bytes] without what a driver puts behind each line; None where lines are missing."""
    used = layout.width * pixel_bytes
    pitch = max(layout.line_bytes, used)
    if len(data) < pitch * (layout.height - 1) + used:
        return None
    padded = np.frombuffer(data[: pitch * layout.height].ljust(pitch * layout.height, b"\0"), np.uint8)
    return np.ascontiguousarray(padded.reshape(layout.height, pitch)[:, :used])


DECODERS: dict[str, Callable[[bytes, Layout], Pixels | None]] = {
    "YUYV": _packed(cv2.COLOR_YUV2BGR_YUYV),
    "UYVY": _packed(cv2.COLOR_YUV2BGR_UYVY),
    "BGR3": _bgr,
    "MJPG": _jpeg,
    "JPEG": _jpeg,
}
COMPRESSED = frozenset({"MJPG", "JPEG"})
