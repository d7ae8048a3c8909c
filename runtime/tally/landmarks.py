"""The cells of a picture as landmarks: two views of one place show the same ones, whatever the lamp does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.runtime.counting.cells import Cell

Points = npt.NDArray[np.float64]
# Centres of touching red cells lie 0.6 diameters apart and more; those of one cell in two views hardly 0.1.
_SAME_WITHIN = 0.25


@dataclass(frozen=True)
class Landmarks:
    """Cells of one picture: class ids int [n], centres float [n, 2] (x, y) in its pixels."""

    class_ids: npt.NDArray[np.int64]
    centres: Points

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Landmarks:
        """The landmarks that counted cells are."""
        centres = np.array([(cell.x, cell.y) for cell in cells], np.float64).reshape(-1, 2)
        return cls(np.array([cell.class_id for cell in cells], np.int64), centres)


@dataclass(frozen=True)
class Agreement:
    """How well two sets of landmarks agree under a shift.

    Attributes:
        expected: landmarks of either picture that the other must show, both sides together.
        matched: those it does show.
    """

    expected: int
    matched: int

    @property
    def share(self) -> float:
        """Matched of expected; 0 where none is expected."""
        return self.matched / self.expected if self.expected else 0.0


def agree(
    earlier: Landmarks, later: Landmarks, shift: tuple[float, float], size: tuple[int, int], red_cell_px: float
) -> Agreement:
    """Compare the landmarks of two pictures of one size.

    Args:
        earlier: of the first picture.
        later: of the second.
        shift: where the second picture's corner lies in the first, (x, y) px.
        size: height and width of both, px.
        red_cell_px: red-cell diameter; a landmark nearer than half of it to an edge may look different there.
    """
    moved = later.centres + np.array(shift)
    margin = red_cell_px / 2
    low = np.maximum((0.0, 0.0), shift) + margin
    high = np.array((size[1], size[0])) + np.minimum((0.0, 0.0), shift) - margin
    first, second = _within(earlier.centres, low, high), _within(moved, low, high)
    expected = int(first.sum() + second.sum())
    if not expected or not len(moved) or not len(earlier.centres):
        return Agreement(expected, 0)
    apart = moved[None, :, :] - earlier.centres[:, None, :]
    distance = np.hypot(apart[..., 0], apart[..., 1])
    distance[earlier.class_ids[:, None] != later.class_ids[None, :]] = np.inf
    nearest, backwards = distance.argmin(axis=1), distance.argmin(axis=0)
    rows = np.arange(len(nearest))
    # Each the other's nearest, so that one landmark is never the partner of two.
    same = (backwards[nearest] == rows) & (distance[rows, nearest] < _SAME_WITHIN * red_cell_px)
    partners = nearest[same]
    matched = int((first & same).sum() + second[partners].sum())
    return Agreement(expected, matched)


def _within(points: Points, low: Points, high: Points) -> npt.NDArray[np.bool_]:
    return np.asarray(((points >= low) & (points < high)).all(axis=1), np.bool_)
