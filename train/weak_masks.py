"""A partial mask for a picture that has only boxes: certain pixels get their class, doubtful ones 255.

Where boxes are complete, what lies outside of all of them is background, and what is both inside a box and
darker than the background is that box's cell. The background's brightness comes from Otsu's threshold on the
green channel, which stains and haemoglobin absorb most.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.classes import BACKGROUND_ID, IGNORE_ID
from hemonode.train.data.sample import Box

WHITE_ID = 1
# Inside this share of a box's half axes every pixel belongs to the cell, the pallor of a red cell too.
SURE_ELLIPSE = 0.7
# A bright spot inside dark surroundings, up to this share of a red cell's area, is a red cell's pallor.
PALLOR_AREA = 0.3
# Pixels nearer than this share of the red-cell diameter to the edge of the foreground are doubtful.
DOUBTFUL_EDGE = 0.04


def _foreground(
    pixels: npt.NDArray[np.uint8], red_cell_px: float, elsewhere: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Pixels darker than the background; `elsewhere` is left out of the threshold: dark nuclei would raise it."""
    green = cv2.GaussianBlur(np.ascontiguousarray(pixels[:, :, 1]), (0, 0), max(red_cell_px * 0.02, 0.5))
    values = green[~elsewhere]
    if values.size == 0:
        return np.zeros(green.shape, bool)
    threshold, _ = cv2.threshold(values.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    return _fill_pallor(green <= threshold, red_cell_px)


def _fill_pallor(dark: npt.NDArray[np.bool_], red_cell_px: float) -> npt.NDArray[np.bool_]:
    bright = (~dark).astype(np.uint8)
    _, parts, figures, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    small = np.flatnonzero(figures[:, cv2.CC_STAT_AREA] <= PALLOR_AREA * np.pi / 4 * red_cell_px**2)
    return np.asarray(dark | np.isin(parts, small[small > 0]), np.bool_)


def _ellipses(shape: tuple[int, int], boxes: list[Box], share: float) -> npt.NDArray[np.bool_]:
    canvas = np.zeros(shape, np.uint8)
    for box in boxes:
        axes = (max(int(box.width * share / 2), 1), max(int(box.height * share / 2), 1))
        cv2.ellipse(canvas, (int(box.x), int(box.y)), axes, 0, 0, 360, 1, -1)
    return canvas > 0


def _rectangles(shape: tuple[int, int], boxes: list[Box], margin: float) -> npt.NDArray[np.bool_]:
    canvas = np.zeros(shape, np.uint8)
    for box in boxes:
        half_width, half_height = box.width / 2 + margin, box.height / 2 + margin
        corner = (int(box.x - half_width), int(box.y - half_height))
        cv2.rectangle(canvas, corner, (int(box.x + half_width), int(box.y + half_height)), 1, -1)
    return canvas > 0


def mask_from_boxes(
    pixels: npt.NDArray[np.uint8],
    boxes: tuple[Box, ...],
    red_cell_px: float,
    *,
    background_known: bool,
    overlap_order: tuple[int, ...] = (3, 2, 1),
) -> npt.NDArray[np.uint8]:
    """Class ids that boxes and colour agree on.

    Args:
        pixels: uint8 [H, W, 3] BGR.
        boxes: cells of the picture.
        red_cell_px: red-cell diameter, pixels.
        background_known: boxes are complete for every class, so dark spots outside of them are not cells.
        overlap_order: class ids, later ones over earlier ones (white over red).

    Returns:
        uint8 [H, W]: a class id, or 255 where nothing is certain.
    """
    shape = pixels.shape[:2]
    white = [box for box in boxes if box.class_id == WHITE_ID]
    dark = _foreground(pixels, red_cell_px, _rectangles(shape, white, margin=0))
    doubtful = max(round(red_cell_px * DOUBTFUL_EDGE), 1)
    grown = cv2.dilate(dark.astype(np.uint8), np.ones((2 * doubtful + 1,) * 2, np.uint8)) > 0
    mask = np.full(shape, IGNORE_ID, np.uint8)
    boxed = _rectangles(shape, list(boxes), margin=doubtful)
    mask[~grown if background_known else ~grown & ~boxed] = BACKGROUND_ID
    if background_known:
        mask[~boxed] = BACKGROUND_ID
    shrunk = cv2.erode(dark.astype(np.uint8), np.ones((2 * doubtful + 1,) * 2, np.uint8)) > 0
    for class_id in overlap_order:
        own = [box for box in boxes if box.class_id == class_id]
        others = _rectangles(shape, [box for box in boxes if box.class_id != class_id], margin=0)
        mask[_rectangles(shape, own, margin=0) & shrunk & ~others] = class_id
        mask[_ellipses(shape, own, SURE_ELLIPSE)] = class_id
    return mask


# A dark object of less than this share of a red cell's area may be a platelet or dirt, and stays unknown.
LEAST_RED_AREA = 0.35


def complete_mask(
    pixels: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8], red_cell_px: float, foreground_id: int
) -> npt.NDArray[np.uint8]:
    """A mask that labels only some cells, completed by colour: bright is background, other large objects one class.

    Args:
        pixels: uint8 [H, W, 3] BGR.
        mask: uint8 [H, W], 255 where unlabelled.
        red_cell_px: red-cell diameter, pixels.
        foreground_id: class of large dark objects without a label.
    """
    unknown = mask == IGNORE_ID
    doubtful = max(round(red_cell_px * DOUBTFUL_EDGE), 1)
    kernel = np.ones((2 * doubtful + 1,) * 2, np.uint8)
    dark = (_foreground(pixels, red_cell_px, ~unknown) & unknown).astype(np.uint8)
    near_label = cv2.dilate((~unknown).astype(np.uint8), kernel) > 0
    completed: npt.NDArray[np.uint8] = mask.copy()
    completed[unknown & (cv2.dilate(dark, kernel) == 0) & ~near_label] = BACKGROUND_ID
    count, parts, figures, _ = cv2.connectedComponentsWithStats(cv2.erode(dark, kernel))
    least = LEAST_RED_AREA * np.pi / 4 * red_cell_px**2
    large = np.flatnonzero(figures[:count, cv2.CC_STAT_AREA] >= least)
    completed[np.isin(parts, large[large > 0]) & ~near_label] = foreground_id
    return completed
