"""Cells drawn as areas: how shapes become pixels, and how overlapping cells become one mask and one box each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.classes import IGNORE_ID
from hemonode.train.data.boxes import box_from_edges
from hemonode.train.data.sample import Box

Area = npt.NDArray[np.bool_]

PAINT_ORDER = (2, 3, 1)
"""Red cells first, then platelets, then white cells: white lies over red where cells overlap."""

# cv2.fillPoly takes corners in fixed point; 4 fractional bits place them to a sixteenth of a pixel.
_FRACTION_BITS = 4


@dataclass(frozen=True)
class Region:
    """The pixels of one cell: bool [H, W] of the picture's size. Class 255 marks an area no label speaks about."""

    class_id: int
    area: Area


def polygon_area(points: npt.NDArray[np.float64], height: int, width: int) -> Area:
    """The pixels in a polygon with corners [n, 2] (x, y), where (0, 0) is the outer corner of the first pixel."""
    canvas = np.zeros((height, width), np.uint8)
    # OpenCV counts from pixel centres, label files from pixel corners.
    fixed = np.round((points - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], (1,), lineType=cv2.LINE_8, shift=_FRACTION_BITS)
    return canvas.astype(bool)


def rectangle_area(edges: tuple[float, float, float, float], height: int, width: int) -> Area:
    """The pixels whose centres lie between the left, top, right and bottom edge."""
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    inside_x, inside_y = (x >= edges[0]) & (x < edges[2]), (y >= edges[1]) & (y < edges[3])
    return np.asarray(inside_y[:, None] & inside_x[None, :], np.bool_)


def circle_area(x: float, y: float, radius: float, height: int, width: int) -> Area:
    """The pixels whose centres lie within `radius` of (x, y)."""
    rows, columns = np.ogrid[:height, :width]
    return np.asarray((columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2, np.bool_)


def region_box(region: Region) -> Box | None:
    """The bounding box of a region; None where it has no pixels."""
    rows, columns = np.flatnonzero(region.area.any(axis=1)), np.flatnonzero(region.area.any(axis=0))
    if not rows.size:
        return None
    edges = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return box_from_edges(region.class_id, edges, *region.area.shape)


def paint(
    regions: Iterable[Region], order: Sequence[int], outside: int, height: int, width: int
) -> npt.NDArray[np.uint8]:
    """One mask of all regions, uint8 [height, width].

    Args:
        regions: the cells, in any order.
        order: class ids; a later one covers an earlier one. Areas of no label (255) cover nothing but background.
        outside: value of pixels in no region.
        height: of the mask, in pixels.
        width: of the mask, in pixels.
    """
    mask = np.full((height, width), outside, np.uint8)
    places = {class_id: place for place, class_id in enumerate((IGNORE_ID, *order))}
    for region in sorted(regions, key=lambda region: places[region.class_id]):
        mask[region.area] = region.class_id
    return mask
