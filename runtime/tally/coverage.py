"""Areas of overlapping rectangles, exactly: what a picture adds to what was covered before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rectangles = npt.NDArray[np.float64]
"""float [n, 4], columns left, top, right, bottom; points on the left or top edge are inside, on the others not."""


def new_area(rectangle: npt.NDArray[np.float64], covered: Rectangles) -> float:
    """Area of the part of a rectangle, float [4], that no covered one overlaps."""
    parts = np.concatenate([np.maximum(covered[:, :2], rectangle[:2]), np.minimum(covered[:, 2:], rectangle[2:])], 1)
    parts = parts[(parts[:, 0] < parts[:, 2]) & (parts[:, 1] < parts[:, 3])]
    whole = float((rectangle[2] - rectangle[0]) * (rectangle[3] - rectangle[1]))
    if not len(parts):
        return whole
    xs, ys = np.unique(parts[:, [0, 2]]), np.unique(parts[:, [1, 3]])
    # Between neighbouring edges a point is inside the same rectangles everywhere.
    across = (parts[:, 0, None] <= xs[None, :-1]) & (xs[None, 1:] <= parts[:, 2, None])
    down = (parts[:, 1, None] <= ys[None, :-1]) & (ys[None, 1:] <= parts[:, 3, None])
    inside = (down[:, :, None] & across[:, None, :]).any(axis=0)
    return whole - float((inside * np.diff(ys)[:, None] * np.diff(xs)[None, :]).sum())


def inside_any(points: npt.NDArray[np.float64], rectangles: Rectangles) -> npt.NDArray[np.bool_]:
    """Which points, float [n, 2], lie inside at least one rectangle."""
    low = points[:, None, :] >= rectangles[None, :, :2]
    high = points[:, None, :] < rectangles[None, :, 2:]
    inside = np.asarray((low & high).all(axis=2), np.bool_)
    return np.asarray(inside.any(axis=1), np.bool_)


def grown(rectangles: Rectangles, by: float) -> Rectangles:
    """The rectangles, each side moved outwards by `by` (inwards where negative)."""
    return np.asarray(rectangles + np.array([-by, -by, by, by]), np.float64)
