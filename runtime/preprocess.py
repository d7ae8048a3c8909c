"""Bring a picture to what the network expects: working scale, even contrast, and a size it accepts."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import PreprocessingRecord

Pixels = npt.NDArray[np.uint8]


def resample(pixels: Pixels, factor: float) -> Pixels:
    """Resize by one factor: area average when shrinking, linear when growing.

    Args:
        pixels: uint8 [H, W] or [H, W, C].
        factor: output pixels per input pixel, above 0.

    Returns:
        uint8 of round(H·factor) × round(W·factor), each side at least 1 px.
    """
    size = resampled_size(pixels.shape[0], pixels.shape[1], factor)
    if size == pixels.shape[:2]:
        return pixels
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=method), np.uint8)


def resampled_size(height: int, width: int, factor: float) -> tuple[int, int]:
    """Height and width of what `resample` gives."""
    return max(1, round(height * factor)), max(1, round(width * factor))


def equalise(pixels: Pixels, preprocessing: PreprocessingRecord) -> Pixels:
    """Contrast-limited adaptive equalisation of the luma plane, colours kept (Li et al. 2021, section 2).

    Args:
        pixels: uint8 [H, W, 3] BGR, the whole picture at working scale: equalising tile by tile would leave seams.
        preprocessing: clip limit and grid, from the bundle.

    Returns:
        uint8 [H, W, 3] BGR.
    """
    # A new object per call: OpenCV's keeps scratch memory in itself, so two threads cannot share one.
    clahe = cv2.createCLAHE(preprocessing.clahe_clip_limit, preprocessing.clahe_tiles)
    yuv = cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV)
    yuv[..., 0] = clahe.apply(cv2.extractChannel(yuv, 0))
    return np.asarray(cv2.cvtColor(yuv, cv2.COLOR_YUV2BGR), np.uint8)


def padded_side(side: int, stride: int, minimum: int) -> int:
    """The least side the graph accepts that holds `side` pixels: a multiple of `stride`, at least `minimum`."""
    return -(-max(side, minimum) // stride) * stride


PADDING_GREY = 128
"""What lies beyond a picture: 0 after normalisation, like the network's own padding, and as in training."""


def pad(pixels: Pixels, height: int, width: int) -> Pixels:
    """Extend a picture to the right and to the bottom with grey.

    A mirror image would complete cut cells to whole ones and draw their centres onto the border.

    Args:
        pixels: uint8 [h, w, 3], h ≤ height, w ≤ width.
        height: rows of the result.
        width: columns of the result.

    Returns:
        uint8 [height, width, 3].
    """
    bottom, right = height - pixels.shape[0], width - pixels.shape[1]
    grey = (PADDING_GREY,) * 3
    return np.asarray(cv2.copyMakeBorder(pixels, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=grey), np.uint8)
