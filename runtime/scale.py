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
_CANDIDATES = tuple(float(value) for value in np.geomspace(SMALLEST_PX, LARGEST_PX, 8))
# What a cell's part of the mask measures over the box that an annotator draws: neighbours cover some of it, and boxes
# are drawn with a margin. Median over training pictures: 0.84 on BCCD, 0.90 on TXL.
_INSTANCE_OVER_BOX = 0.87
# Fewer whole red cells than this measure nothing.
_LEAST_CELLS = 3
# How quickly evidence fades as the measured diameter leaves the assumed one; in natural logarithms.
_LOG_WIDTH = 0.2
# Scores fall slowly as the scale leaves the right one; their power makes that count.
_SCORE_POWER = 4


@dataclass(frozen=True)
class RedCells:
    """Whole red cells found under an assumed diameter: their diameters in pixels of the picture, and scores."""

    diameters_px: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]


Look = Callable[[float], RedCells]
"""Segment (a part of) the picture as if its red cells measured so many pixels."""


def from_um_per_px(um_per_px: float, scale: ScaleRecord) -> float:
    """Red-cell diameter in pixels of a picture of known magnification."""
    return scale.red_cell_um / um_per_px


def measure_red_cell_px(look: Look) -> float:
    """The red-cell diameter that the network confirms.

    Args:
        look: see `Look`; called about ten times.

    Returns:
        pixels of the picture, the median over whole red cells.

    Raises:
        PictureError: too few whole red cells at any diameter from 30 to 150 px.
    """
    seen = [(assumed, look(assumed)) for assumed in _CANDIDATES]
    evidence = [_evidence(assumed, cells) for assumed, cells in seen]
    best = int(np.argmax(evidence))
    if evidence[best] <= 0:
        raise PictureError(
            "no red cells of 30 to 150 px were found to set the scale by: "
            "give their diameter with --red-cell-px, or --um-per-px"
        )
    estimate = _typical(seen[best][1])
    confirmed = look(estimate)
    return _typical(confirmed) if len(confirmed.diameters_px) >= _LEAST_CELLS else estimate


def _evidence(assumed: float, cells: RedCells) -> float:
    """Mean over the cells of how well each is found and how near to the assumed size; the part looked at varies."""
    if len(cells.diameters_px) < _LEAST_CELLS:
        return 0.0
    deviation = np.log(cells.diameters_px / _INSTANCE_OVER_BOX / assumed)
    agreement = np.exp(-0.5 * (deviation / _LOG_WIDTH) ** 2)
    return float((cells.scores**_SCORE_POWER * agreement).mean())


def _typical(cells: RedCells) -> float:
    return float(np.clip(np.median(cells.diameters_px) / _INSTANCE_OVER_BOX, SMALLEST_PX, LARGEST_PX))
