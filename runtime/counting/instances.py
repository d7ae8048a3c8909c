"""How large each counted cell is: a watershed from the peaks, inside each class's part of the mask."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

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

    Every class is flooded by itself, over the distance from its edge, so that touching cells part at the waist.

    Args:
        class_ids: uint8 [H, W].
        peaks: float32 [n, 4], class id, x, y, score, in the mask's pixels.
        diameters: float [n], nominal diameter of each peak's cell in the mask's pixels.

    Returns:
        int32 [H, W]: 1 + the row of the peak, 0 where no cell is.
    """
    labels = np.zeros(class_ids.shape, np.int32)
    for class_id in np.unique(peaks[:, 0]).astype(np.uint8):
        inside = (class_ids == class_id).astype(np.uint8)
        rows = np.flatnonzero(peaks[:, 0] == class_id)
        flooded = _flood(inside, peaks, rows, diameters)
        np.copyto(labels, flooded, where=inside > 0)
    return labels


def _flood(
    inside: npt.NDArray[np.uint8],
    peaks: npt.NDArray[np.float32],
    rows: npt.NDArray[np.intp],
    diameters: npt.NDArray[np.float64],
) -> npt.NDArray[np.int32]:
    background = len(peaks) + 1
    markers = np.where(inside > 0, 0, background).astype(np.int32)
    for row in rows:
        centre = (int(peaks[row, 1]), int(peaks[row, 2]))
        cv2.circle(markers, centre, max(int(diameters[row] * _MARKER_SHARE / 2), 0), int(row) + 1, -1)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    relief = np.clip(255 - distance * (255 / max(float(distance.max()), 1.0)), 0, 255).astype(np.uint8)
    cv2.watershed(cv2.cvtColor(relief, cv2.COLOR_GRAY2BGR), markers)
    return np.where((markers > 0) & (markers < background), markers, 0).astype(np.int32)


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
