"""Which cells of a picture are new: each cell of the slide is counted once, by where its centre lies.

A picture counts the cells whose centre lies in the part that no earlier picture covered (the parts divide the slide, so
that over many pictures nothing is counted twice or left out, whatever the cells' size). Near the line between two parts
a centre may seem to lie on either side; there a cell counts unless one of its class was counted at its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.runtime.tally.coverage import grown, inside_any, new_area
from hemonode.runtime.tally.keyframes import KeyFrames, covered_part
from hemonode.runtime.tally.landmarks import Landmarks

INSET_CELLS = 0.6
"""Rim, in red-cell diameters, that a picture leaves to its neighbours: cells there are cut, their centres uncertain."""
_LARGEST_INSET = 0.2
"""The same in shorter sides: where cells are large, half of the picture must remain."""

# A centre is this uncertain, in red-cell diameters: a line between parts is drawn so wide.
_BAND_CELLS = 0.15
# Two centres this near, in red-cell diameters, are one cell. White cells are twice as wide, and are cut oftener.
_ONE_CELL = 0.25
_ONE_CELL_BY_NAME = {"white_cell": 0.7}


@dataclass(frozen=True)
class New:
    """What a picture adds: `cells` among its landmarks, bool [n], and px² of the slide."""

    cells: npt.NDArray[np.bool_]
    area_px2: float


def inset_px(size: tuple[int, int], red_cell_px: float) -> float:
    """How far from its edges (height, width) the part begins that a picture covers."""
    return min(INSET_CELLS * red_cell_px, _LARGEST_INSET * min(size))


class Census:
    """Tells new cells from counted ones on one map. `names` by class id."""

    def __init__(self, names: dict[int, str]) -> None:
        self._radius = {number: _ONE_CELL_BY_NAME.get(name, _ONE_CELL) for number, name in names.items()}

    def new_share(
        self, slide: KeyFrames, area: int, corner: tuple[float, float], size: tuple[int, int], inset: float
    ) -> float:
        """Share of what a picture covers that was not covered before."""
        part = covered_part(corner, size, inset)
        _, covered = slide.covering(np.flatnonzero(slide.overlaps(area, corner, size) > 0))
        return new_area(part, covered) / float(np.prod(part[2:] - part[:2]))

    def new(
        self,
        slide: KeyFrames,
        area: int,
        corner: tuple[float, float],
        seen: Landmarks,
        size: tuple[int, int],
        red_cell_px: float,
    ) -> New:
        """The new cells among those `seen` in a picture of a size (height, width) whose corner lies at a place."""
        part = covered_part(corner, size, inset_px(size, red_cell_px))
        near, covered = slide.covering(np.flatnonzero(slide.overlaps(area, corner, size) > 0))
        centres = seen.centres + np.array(corner)
        chosen = inside_any(centres, part[None])
        chosen &= ~inside_any(centres, grown(covered, -_BAND_CELLS * red_cell_px))
        chosen &= ~self._counted(Landmarks(seen.class_ids, centres), slide.counted_near(near), red_cell_px)
        return New(chosen, new_area(part, covered))

    def _counted(self, cells: Landmarks, counted: Landmarks, red_cell_px: float) -> npt.NDArray[np.bool_]:
        """Which cells lie where one of their class was counted."""
        apart = cells.centres[:, None] - counted.centres[None]
        radius = np.array([self._radius.get(int(number), _ONE_CELL) for number in cells.class_ids]) * red_cell_px
        near = (apart**2).sum(axis=2) < radius[:, None] ** 2
        return np.asarray((near & (cells.class_ids[:, None] == counted.class_ids[None])).any(axis=1), np.bool_)
