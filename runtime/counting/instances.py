"""How large each counted cell is: a watershed from the peaks, inside each class's part of the mask."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.classes import BACKGROUND_ID

Boxes = npt.NDArray[np.float64]

# Diameters over the red cell's, for a peak without mask pixels under it: white cells 190 px, red cells 90 px and
# platelets 36 px in BCCD.
NOMINAL_DIAMETER = {"white_cell": 2.0, "red_cell": 1.0, "platelet": 0.4}
# A marker is a disc of this share of the cell's nominal diameter.
_MARKER_SHARE = 0.2


def label_instances(
    class_ids: npt.NDArray[np.uint8], peaks: npt.NDArray[np.float32], diameters: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Give each mask pixel to the cell it belongs to.

    The mask is flooded from all peaks at once, so that touching cells part half way, at their waist; pixels that a cell
    of another class reached first belong to none.

    Args:
        class_ids: uint8 [H, W].
        peaks: float32 [n, 4], class id, x, y, score, in the mask's pixels.
        diameters: float [n], nominal diameter of each peak's cell in the mask's pixels.

    Returns:
        int32 [H, W]: 1 + the row of the peak, 0 where no cell is.
    """
    if not len(peaks):
        return np.zeros(class_ids.shape, np.int32)
    inside = _interior(class_ids)
    background = len(peaks) + 1
    markers = np.where(inside > 0, 0, background).astype(np.int32)
    for row, (peak, diameter) in enumerate(zip(peaks, diameters, strict=True)):
        radius = max(int(diameter * _MARKER_SHARE / 2), 0)
        cv2.circle(markers, (int(peak[1]), int(peak[2])), radius, row + 1, -1)
    # OpenCV floods along the least difference between neighbours (Meyer 1991): none inside a cell, so that all peaks
    # spread at one speed, and the largest at its edge, which the background therefore never crosses first.
    markers = _flood(inside * np.uint8(255), markers, background)
    owner = np.concatenate([[0], peaks[:, 0], [0]]).astype(np.uint8)
    labels = np.where((markers > 0) & (markers < background), markers, 0).astype(np.int32)
    labels[owner[labels] != class_ids] = 0
    return labels


def _flood(picture: npt.NDArray[np.uint8], markers: npt.NDArray[np.int32], background: int) -> npt.NDArray[np.int32]:
    """OpenCV's watershed within a rim of background: it labels no pixel at the border, where cut cells end."""
    rim = cv2.copyMakeBorder(markers, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=background)
    ground = cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.watershed(cv2.merge([ground] * 3), rim)
    return np.asarray(rim[1:-1, 1:-1], np.int32)


def _interior(class_ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """1 on pixels of a cell class whose right and lower neighbours are of the same class or background."""
    inside: npt.NDArray[np.uint8] = (class_ids != BACKGROUND_ID).astype(np.uint8)
    for here, beyond, target in (
        (class_ids[:, :-1], class_ids[:, 1:], inside[:, :-1]),
        (class_ids[:-1], class_ids[1:], inside[:-1]),
    ):
        target[(here != beyond) & (beyond != BACKGROUND_ID)] = 0
    return inside


def instance_boxes(
    labels: npt.NDArray[np.int32], peaks: npt.NDArray[np.float32], diameters: npt.NDArray[np.float64]
) -> Boxes:
    """Bounding box of every peak's cell, float [n, 4]: x0, y0, x1, y1 in the mask's pixels.

    A peak without pixels of its own keeps a square of its nominal diameter around it.
    """
    half = diameters[:, None] / 2
    centres = peaks[:, 1:3].astype(np.float64)
    boxes = np.concatenate([centres - half, centres + half], axis=1)
    rows, columns = np.nonzero(labels)
    owner = labels[rows, columns] - 1
    low = np.full((len(peaks), 2), np.iinfo(np.int32).max, np.int64)
    high = np.full((len(peaks), 2), -1, np.int64)
    for axis, places in enumerate((columns, rows)):
        np.minimum.at(low[:, axis], owner, places)
        np.maximum.at(high[:, axis], owner, places)
    found = high[:, 0] >= 0
    boxes[found] = np.concatenate([low[found], high[found] + 1], axis=1)
    return boxes
