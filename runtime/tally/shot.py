"""A picture as registration compares it: small, one plane, without the lamp's slow changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.tally.landmarks import Landmarks

Plane = npt.NDArray[np.float32]

LONGEST_PX = 160
"""Longer side of the small picture: one of 640×480 becomes 160×120, whose cells measure 22 px."""

_GREEN = 1
# What is slower than this many red cells is the lamp, not the smear.
_SLOW_CELLS = 1.5
# What departs from its surroundings by more than this many times the usual is held down: else two pictures with a white
# cell each agree wherever the two dark discs meet (8 of 1,650 pairs of different BCCD pictures; none when held down).
_SOFT_LIMIT = 2.5
_KEPT_RANGE = 100.0


REMEMBERED = 32
"""Shots whose transforms are kept, 0.3 MB each: those near the view, of the thousands that make a map."""


# Each is itself and no other, whatever it shows: what was computed of it is found by that.
@dataclass(frozen=True, eq=False)
class Shot:
    """One picture, ready to be compared with another of its size.

    Attributes:
        small: int8 [h, w], the green plane (in which every stain is darkest), reduced, without its slow part, and
            relative to its usual departure from that.
        factor: pixels of the picture per pixel of `small`.
        size: height and width of the picture.
        red_cell_px: red-cell diameter in the picture.
        landmarks: its cells.
    """

    small: npt.NDArray[np.int8]
    factor: float
    size: tuple[int, int]
    red_cell_px: float
    landmarks: Landmarks

    @classmethod
    def of(cls, pixels: npt.NDArray[np.uint8], red_cell_px: float, landmarks: Landmarks) -> Shot:
        """Reduce a picture, uint8 [H, W, 3] BGR."""
        height, width = pixels.shape[:2]
        factor = max(1.0, max(height, width) / LONGEST_PX)
        reduced = (max(1, round(width / factor)), max(1, round(height / factor)))
        green = cv2.extractChannel(pixels, _GREEN)
        small = cv2.resize(green, reduced, interpolation=cv2.INTER_AREA).astype(np.float32)
        span = 2 * round(_SLOW_CELLS * red_cell_px / factor / 2) + 1
        slow = cv2.blur(small, (span, span), borderType=cv2.BORDER_REFLECT)
        fast = small - slow
        usual = max(float(np.abs(fast).mean()), 1e-3)
        kept = _KEPT_RANGE * np.tanh(fast / (_SOFT_LIMIT * usual))
        return cls(np.rint(kept).astype(np.int8), factor, (height, width), red_cell_px, landmarks)

    @property
    def spectrum(self) -> Plane:
        """Packed Fourier transform of the small picture within a rim of zeros, twice as high and wide."""
        return _spectrum(self)

    @property
    def root_energy(self) -> Plane:
        """Root of the sum of squares of the part that another picture shows, for each shift of it.

        float32 [2h−1, 2w−1]; row y and column x stand for the shift (x − w + 1, y − h + 1) of the other's corner.
        """
        return _root_energy(self)


@lru_cache(maxsize=REMEMBERED)
def _spectrum(shot: Shot) -> Plane:
    height, width = shot.small.shape
    room = np.zeros((cv2.getOptimalDFTSize(2 * height), cv2.getOptimalDFTSize(2 * width)), np.float32)
    room[:height, :width] = shot.small
    return np.asarray(cv2.dft(room, nonzeroRows=height), np.float32)


@lru_cache(maxsize=REMEMBERED)
def _root_energy(shot: Shot) -> Plane:
    square = cv2.integral(np.square(shot.small.astype(np.float32)), sdepth=cv2.CV_64F)
    height, width = shot.small.shape
    top, bottom = _overlap(height)
    left, right = _overlap(width)
    rows = square[bottom] - square[top]
    # A part without any structure agrees with nothing.
    energy = np.maximum(rows[:, right] - rows[:, left], 1.0)
    return np.asarray(cv2.sqrt(energy.astype(np.float32)), np.float32)


def _overlap(side: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First and one past the last row (or column) that two pictures share, for shifts −side+1 … side−1."""
    shifts = np.arange(-side + 1, side)
    return np.maximum(shifts, 0), np.minimum(shifts + side, side)
