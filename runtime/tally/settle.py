"""Where pictures lie when several measured shifts between them disagree a little: least squares over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.float64]
# Each step carries a correction one picture further; where a loop is longer, it settles with the next ones.
_MOST_STEPS = 300
_ENOUGH_PX = 0.05


class Link(NamedTuple):
    """Picture `later` was seen at (x, y) px in picture `earlier`; `weight` is the inverse of the shift's variance."""

    earlier: int
    later: int
    x: float
    y: float
    weight: float


def settle(positions: Positions, links: Sequence[Link]) -> Positions:
    """The positions, float [n, 2], that agree best with the links; the first one stays where it is.

    Conjugate gradients on the normal equations, from the positions as they are.
    """
    first = np.array([link.earlier for link in links])
    second = np.array([link.later for link in links])
    measured = np.array([(link.x, link.y) for link in links])
    weight = np.array([link.weight for link in links])[:, None]
    count = len(positions)

    def pull(stretch: Positions) -> Positions:
        """What the links together pull at each picture, for a stretch of each link."""
        force = weight * stretch
        total = np.stack([np.bincount(second, force[:, axis], count) for axis in (0, 1)], 1)
        total -= np.stack([np.bincount(first, force[:, axis], count) for axis in (0, 1)], 1)
        total[0] = 0
        return np.asarray(total, np.float64)

    settled = positions.copy()
    residual = pull(measured - (settled[second] - settled[first]))
    direction, square = residual.copy(), (residual**2).sum(0)
    for _ in range(_MOST_STEPS):
        if not square.any():
            break
        image = pull(direction[second] - direction[first])
        step = square / np.maximum((direction * image).sum(0), 1e-30)
        settled += step * direction
        residual -= step * image
        if float(np.abs(step * direction).max()) < _ENOUGH_PX:
            break
        before, square = square, (residual**2).sum(0)
        direction = residual + square / np.maximum(before, 1e-30) * direction
    return settled
