"""Makes a BGR picture of what an industrial camera sent."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Decoder = Callable[[Pixels, int, int], Pixels | None]


def _converted(conversion: int, pixel_bytes: int) -> Decoder:
    def decode(data: Pixels, width: int, height: int) -> Pixels | None:
        lines = _lines(data, width * pixel_bytes, height)
        if lines is None:
            return None
        channels = () if pixel_bytes == 1 else (pixel_bytes,)
        return np.asarray(cv2.cvtColor(lines.reshape(height, width, *channels), conversion), np.uint8)

    return decode


def _bgr(data: Pixels, width: int, height: int) -> Pixels | None:
    lines = _lines(data, width * 3, height)
    return None if lines is None else lines.reshape(height, width, 3).copy()


def _lines(data: Pixels, used: int, height: int) -> Pixels | None:
    """uint8 [height, used] without what may be added to each line; None where part of the picture is missing."""
    pitch = data.size // height
    if pitch < used:
        return None
    return np.ascontiguousarray(data[: pitch * height].reshape(height, pitch)[:, :used])


# By the names of EMVA's Pixel Format Naming Convention, with those of before it; what serves a microscope best first:
# one byte a pixel with colours lets a camera be three times as fast as three.
DECODERS: dict[str, Decoder] = {
    "BayerRG8": _converted(cv2.COLOR_BayerRGGB2BGR, 1),
    "BayerGR8": _converted(cv2.COLOR_BayerGRBG2BGR, 1),
    "BayerGB8": _converted(cv2.COLOR_BayerGBRG2BGR, 1),
    "BayerBG8": _converted(cv2.COLOR_BayerBGGR2BGR, 1),
    "BGR8": _bgr,
    "BGR8Packed": _bgr,
    "RGB8": _converted(cv2.COLOR_RGB2BGR, 3),
    "RGB8Packed": _converted(cv2.COLOR_RGB2BGR, 3),
    "YUV422_8": _converted(cv2.COLOR_YUV2BGR_YUYV, 2),
    "YUV422_8_UYVY": _converted(cv2.COLOR_YUV2BGR_UYVY, 2),
    "YUV422Packed": _converted(cv2.COLOR_YUV2BGR_UYVY, 2),
    "BGRa8": _converted(cv2.COLOR_BGRA2BGR, 4),
    "RGBa8": _converted(cv2.COLOR_RGBA2BGR, 4),
    "Mono8": _converted(cv2.COLOR_GRAY2BGR, 1),
}
COLOURLESS = frozenset({"Mono8"})
