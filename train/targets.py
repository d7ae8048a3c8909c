"""From a sample to what the network is trained on: the class mask and the centre heat map at the working scale."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.classes import IGNORE_ID
from hemonode.train.data.sample import Box

HEAT_STRIDE = 4
# Share of a cell's diameter: narrow enough that touching cells keep a valley between their peaks.
SIGMA_SHARE = 0.11
MIN_SIGMA = 0.8
# Less of a cell than this share of its diameter inside the crop, and nobody can tell what it is.
VISIBLE_SHARE = 0.2


@dataclass(frozen=True)
class Crop:
    """One training patch at the working scale.

    Attributes:
        pixels: uint8 [S, S, 3] BGR, preprocessed as at inference.
        mask: uint8 [S, S], 255 where unknown.
        heat: float32 [K, S/4, S/4], Gaussians at cell centres, 1 at the peak.
        heat_weight: float32 [K, S/4, S/4], 0 where nothing is known of a class's centres.
    """

    pixels: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]
    heat: npt.NDArray[np.float32]
    heat_weight: npt.NDArray[np.float32]


def clip_box(box: Box, height: int, width: int) -> Box | None:
    """The part of a box inside the crop, as the next observer would box it; None where too little is left."""
    left, right = max(box.x - box.width / 2, 0.0), min(box.x + box.width / 2, float(width))
    top, bottom = max(box.y - box.height / 2, 0.0), min(box.y + box.height / 2, float(height))
    if right - left < VISIBLE_SHARE * box.width or bottom - top < VISIBLE_SHARE * box.height:
        return None
    return Box(box.class_id, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


def _draw_gaussian(plane: npt.NDArray[np.float32], x: float, y: float, sigma: float) -> None:
    reach = int(3 * sigma) + 1
    column, row = int(x), int(y)
    x0, x1 = max(column - reach, 0), min(column + reach + 1, plane.shape[1])
    y0, y1 = max(row - reach, 0), min(row + reach + 1, plane.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    # The peak sits on the cell's own pixel, so that exactly one pixel is the positive of the focal loss.
    squares = (np.arange(x0, x1)[None, :] - column) ** 2 + (np.arange(y0, y1)[:, None] - row) ** 2
    view = plane[y0:y1, x0:x1]
    np.maximum(view, np.exp(-squares / (2 * sigma**2)).astype(np.float32), out=view)


def _ignore(plane: npt.NDArray[np.float32], box: Box) -> None:
    x0, x1 = box.x - box.width / 2, box.x + box.width / 2
    y0, y1 = box.y - box.height / 2, box.y + box.height / 2
    bounds = [max(int(value / HEAT_STRIDE), 0) for value in (y0, y1 + HEAT_STRIDE, x0, x1 + HEAT_STRIDE)]
    plane[bounds[0] : bounds[1], bounds[2] : bounds[3]] = 0


def heat_map(
    boxes: tuple[Box, ...] | None,
    complete_ids: tuple[int, ...],
    countable_ids: tuple[int, ...],
    valid: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Centre heat map and its weight, both float32 [K, S/4, S/4], for boxes in pixels of the crop.

    Args:
        boxes: cells in the crop's pixels, or None where the picture has no boxes.
        complete_ids: classes whose boxes are complete; the others get weight 0.
        countable_ids: class of each of the K planes.
        valid: bool [S, S], False where the crop reaches beyond the picture.
    """
    height, width = valid.shape
    small = (width // HEAT_STRIDE, height // HEAT_STRIDE)
    heat = np.zeros((len(countable_ids), small[1], small[0]), np.float32)
    weight = np.zeros_like(heat)
    if boxes is None:
        return heat, weight
    inside = cv2.resize(valid.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    for plane, class_id in enumerate(countable_ids):
        if class_id not in complete_ids:
            continue
        weight[plane] = inside
        for box in boxes:
            if box.class_id != class_id:
                continue
            part = clip_box(box, height, width)
            if part is None:
                _ignore(weight[plane], box)
                continue
            sigma = max(SIGMA_SHARE * np.sqrt(box.width * box.height) / HEAT_STRIDE, MIN_SIGMA)
            _draw_gaussian(heat[plane], part.x / HEAT_STRIDE, part.y / HEAT_STRIDE, sigma)
    return heat, weight


def ignored_everywhere(shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """uint8 [H, W] of 255: the mask of a picture whose pixels nobody labelled."""
    return np.full(shape, IGNORE_ID, np.uint8)
