"""Cells drawn as areas: how shapes become pixels, and how overlapping cells become one mask and one box each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.runtime.classes import IGNORE_ID
from hemonode.train.data.boxes import box_from_edges
from hemonode.train.data.sample import Box

Area = npt.NDArray[np.bool_]

PAINT_ORDER = (2, 3, 1)
"""Red cells first, then platelets, then white cells: white lies over red where cells overlap."""


@dataclass(frozen=True)
class Region:
    """The pixels of one cell: bool [H, W] of the picture's size. Class 255 marks an area no label speaks about."""

    class_id: int
    area: Area


def polygon_area(points: npt.NDArray[np.float64], height: int, width: int) -> Area:
    """The pixels whose centres lie inside a polygon, by the even-odd rule.

    OpenCV's fillPoly also paints every pixel that the outline touches, which makes a cell one pixel wider.

    Args:
        points: corners [n, 2] (x, y), where (0, 0) is the outer corner of the first pixel.
        height: of the picture, in pixels.
        width: of the picture, in pixels.
    """
    crossings = np.zeros((height, width + 1), np.int32)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        first, last = np.clip(np.ceil(np.array([min(y0, y1), max(y0, y1)]) - 0.5), 0, height).astype(int)
        rows = np.arange(first, last)
        x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        columns = np.clip(np.ceil(x - 0.5), 0, width).astype(int)
        crossings[rows, columns] += 1
    return np.asarray(np.cumsum(crossings[:, :width], axis=1) % 2 == 1, np.bool_)


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
