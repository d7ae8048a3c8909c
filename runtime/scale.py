"""How large a red cell is in a picture: given, from micrometres per pixel, or measured with the model itself.

The measurement looks at a part of the picture as if its red cells had each of several diameters. Only near the right
one does the network find many cells that, by its own mask, are as large as assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.errors import PictureError
from hemonode.runtime.bundle.schema import ScaleRecord

SMALLEST_PX, LARGEST_PX = 30.0, 150.0
"""Red-cell diameters that are looked for, pixels of the picture."""

# Neighbours lie a quarter apart, which the network is trained to bear.
_ASSUMED = tuple(float(value) for value in np.geomspace(SMALLEST_PX, LARGEST_PX, 8))
_CANDIDATES = np.geomspace(SMALLEST_PX, LARGEST_PX, 81)
# What a cell's part of the mask measures over the box that an annotator draws: neighbours cover some of it, and boxes
# are drawn with a margin. With the widths below, chosen on training pictures of BCCD, TXL and BCISC.
_INSTANCE_OVER_BOX = 0.87
# Fewer whole red cells than this, at the assumed diameter that shows most, measure nothing.
_LEAST_CELLS = 2
# How quickly evidence for a diameter fades as the assumed and the measured one leave it; in natural logarithms.
_ASSUMED_LOG_WIDTH, _MEASURED_LOG_WIDTH = 0.3, 0.15


@dataclass(frozen=True)
class RedCells:
    """Whole red cells found under an assumed diameter: those of discs as large, pixels of the picture, and scores."""

    diameters_px: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]


Look = Callable[[float], RedCells]
"""Segment (a part of) the picture as if its red cells measured so many pixels."""


def from_um_per_px(um_per_px: float, scale: ScaleRecord) -> float:
    """Red-cell diameter in pixels of a picture of known magnification."""
    return scale.red_cell_um / um_per_px


def measure_red_cell_px(look: Look) -> float:
    """The red-cell diameter that most cells agree on, over all assumed ones.

    Cells in a clump are missed here under one assumption and there under another, and what is left of the clump then
    measures too much; the cells that agree across assumptions outvote it.

    Args:
        look: see `Look`; called eight times.

    Returns:
        pixels of the picture.

    Raises:
        PictureError: too few whole red cells at any diameter from 30 to 150 px.
    """
    seen = [(assumed, look(assumed)) for assumed in _ASSUMED]
    evidence = sum((_evidence(assumed, cells) for assumed, cells in seen), np.zeros(len(_CANDIDATES)))
    if max(len(cells.scores) for _, cells in seen) < _LEAST_CELLS or not evidence.any():
        raise PictureError(
            "no red cells of 30 to 150 px were found to set the scale by: "
            "give their diameter with --red-cell-px, or --um-per-px"
        )
    return float(_CANDIDATES[np.argmax(evidence)])


def _evidence(assumed: float, cells: RedCells) -> npt.NDArray[np.float64]:
    """For each candidate diameter: how many cells were found about as large, if they were looked for about as large."""
    apart = np.log(cells.diameters_px[:, None] / _INSTANCE_OVER_BOX / _CANDIDATES) / _MEASURED_LOG_WIDTH
    votes = (cells.scores[:, None] ** 2 * np.exp(-0.5 * apart**2)).sum(axis=0)
    nearness = np.exp(-0.5 * (np.log(assumed / _CANDIDATES) / _ASSUMED_LOG_WIDTH) ** 2)
    return np.asarray(votes * nearness, np.float64)
