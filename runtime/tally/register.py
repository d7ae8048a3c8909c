"""How far a picture lies from an earlier one of the same smear, and whether that is certain.

Normalised correlation of what both pictures show, for every shift at once through the Fourier transform (Lewis 1995;
the sums of squares by integral images). It is judged by thresholds that were measured on pairs of real fields, right
and wrong ones; see `Shift.is_certain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.tally.landmarks import Agreement, agree
from hemonode.runtime.tally.shot import Plane, Shot

LEAST_OVERLAP = 0.15
"""Share of the picture that two views must have in common, where nothing is known of the shift."""
LEAST_EXPECTED_OVERLAP = 0.08
"""The same where the shift is known within a cell or so: much less can be a chance then."""

# Chance agrees more easily on little than on much: its correlation falls with the root of the overlap.
_CORRELATION_AT_FULL_OVERLAP = 0.36
_LEAST_CORRELATION, _ENOUGH_CORRELATION = 0.45, 0.77
# Another shift that agrees nearly as well makes the best one a guess, as on a regular pattern of cells.
_RIVAL_SHARE = 0.85
# Fewer cells than this prove nothing against a shift.
_LANDMARKS, _LANDMARKS_SHARE = 8, 0.4
# Peaks nearer than this share of a red cell are one.
_PEAK_WIDTH = 0.5


@dataclass(frozen=True)
class Expected:
    """Where the later picture's corner should lie in the earlier one, (x, y) px, and within which distance."""

    x: float
    y: float
    within_px: float


@dataclass(frozen=True)
class Shift:
    """Where a picture's corner lies in an earlier picture.

    Attributes:
        x, y: px.
        overlap: share of the picture that both show.
        correlation: of the small pictures where they overlap, −1 to 1.
        rival: score of the best shift elsewhere over this one's, 0 to 1.
        agreement: of the cells where they overlap.
    """

    x: float
    y: float
    overlap: float
    correlation: float
    rival: float
    agreement: Agreement

    @property
    def strength(self) -> float:
        """How far it stands out from chance: correlation times the root of the overlap."""
        return float(self.correlation * self.overlap**0.5)

    @property
    def is_certain(self) -> bool:
        """Whether the two pictures show the same place, so far as can be known."""
        least = _CORRELATION_AT_FULL_OVERLAP / self.overlap**0.5
        if self.correlation < min(_ENOUGH_CORRELATION, max(_LEAST_CORRELATION, least)):
            return False
        if self.rival > _RIVAL_SHARE:
            return False
        return self.agreement.expected < _LANDMARKS or self.agreement.share >= _LANDMARKS_SHARE


def register(earlier: Shot, later: Shot, expected: Expected | None = None) -> Shift | None:
    """The shift between two pictures of one size; None where it is not certain."""
    shift = best_shift(earlier, later, expected)
    return shift if shift is not None and shift.is_certain else None


def best_shift(earlier: Shot, later: Shot, expected: Expected | None = None) -> Shift | None:
    """The shift under which two pictures of one size agree best, certain or not; None where none is possible."""
    match = _correlation(earlier, later)
    score = match * _weights(earlier.small.shape, LEAST_OVERLAP if expected is None else LEAST_EXPECTED_OVERLAP)
    if expected is not None:
        score[~_near(earlier, expected)] = 0
    _, best, _, (column, row) = cv2.minMaxLoc(score)
    if best <= 0:
        return None
    reach = max(1, round(_PEAK_WIDTH * earlier.red_cell_px / earlier.factor))
    score[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = 0
    return _refined(earlier, later, match, (row, column), rival=max(0.0, float(score.max())) / best)


def _correlation(earlier: Shot, later: Shot) -> Plane:
    """Normalised correlation for each shift of the later picture's corner, as in `Shot.energy`."""
    height, width = earlier.small.shape
    product = cv2.mulSpectrums(earlier.spectrum, later.spectrum, 0, conjB=True)
    around = cv2.idft(product, flags=cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
    cross = np.empty((2 * height - 1, 2 * width - 1), np.float32)
    # Shifts below 0 are wrapped to the far end.
    cross[height - 1 :, width - 1 :] = around[:height, :width]
    cross[height - 1 :, : width - 1] = around[:height, 1 - width :]
    cross[: height - 1, width - 1 :] = around[1 - height :, :width]
    cross[: height - 1, : width - 1] = around[1 - height :, 1 - width :]
    energy = earlier.root_energy * later.root_energy[::-1, ::-1]
    return np.asarray(cv2.divide(cross, energy), np.float32)


@lru_cache(maxsize=4)
def _weights(shape: tuple[int, int], least: float) -> Plane:
    """Root of the overlap for each shift; 0 where it is too little."""
    height, width = shape
    ys, xs = np.abs(np.arange(1 - height, height)), np.abs(np.arange(1 - width, width))
    overlap = (1 - ys / height)[:, None] * (1 - xs / width)[None, :]
    return np.where(overlap >= least, np.sqrt(overlap), 0).astype(np.float32)


def _near(earlier: Shot, expected: Expected) -> npt.NDArray[np.bool_]:
    height, width = earlier.small.shape
    ys = np.arange(1 - height, height) * (earlier.size[0] / height) - expected.y
    xs = np.arange(1 - width, width) * (earlier.size[1] / width) - expected.x
    # At least to the next small pixel.
    within = max(expected.within_px, 2 * earlier.factor)
    return np.asarray(ys[:, None] ** 2 + xs[None, :] ** 2 <= within**2, np.bool_)


def _refined(earlier: Shot, later: Shot, match: Plane, at: tuple[int, int], rival: float) -> Shift:
    row, column = at
    height, width = earlier.small.shape
    x = column - width + 1 + _vertex(match[row, max(0, column - 1) : column + 2])
    y = row - height + 1 + _vertex(match[max(0, row - 1) : row + 2, column])
    x, y = x * earlier.size[1] / width, y * earlier.size[0] / height
    agreement = agree(earlier.landmarks, later.landmarks, (x, y), earlier.size, earlier.red_cell_px)
    overlap = (1 - abs(x) / earlier.size[1]) * (1 - abs(y) / earlier.size[0])
    return Shift(x, y, max(overlap, 0.0), float(match[at]), rival, agreement)


def _vertex(three: Plane) -> float:
    """Where the parabola through three neighbours has its top, −0.5 to 0.5 from the middle one."""
    if len(three) < 3:
        return 0.0
    left, middle, right = (float(value) for value in three)
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, (left - right) / (2 * bend)))
