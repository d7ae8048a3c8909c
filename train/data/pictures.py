"""Reads one picture of a data set."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.errors import PictureError


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """The picture, uint8 [H, W, 3] BGR."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise PictureError(f"{path} is not a readable picture.")
    return np.asarray(pixels, np.uint8)
