"""What 8 bits span: the grids that activations and weights are rounded to in an INT8 graph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hemonode.export.graph.weights import Array

LEVELS = 255
"""Steps of an activation's uint8 grid, which is not symmetric: what ReLU leaves uses all of it."""

LARGEST_WEIGHT = 127
"""Weights are symmetric int8 per output channel, so that their zero point is 0, which every engine's kernels take."""


class Range(NamedTuple):
    """The values that a grid spans; those beyond saturate at its ends. 0 is always on it: convolutions pad with it."""

    low: float
    high: float

    @property
    def scale(self) -> np.float32:
        """Distance of two neighbours on the grid."""
        span = max(self.high, 0.0) - min(self.low, 0.0)
        # All zeros: any distance will do.
        return np.float32(span / LEVELS) if span else np.float32(1)

    @property
    def zero_point(self) -> np.uint8:
        """The uint8 that stands for 0."""
        return np.uint8(np.clip(np.round(-min(self.low, 0.0) / float(self.scale)), 0, LEVELS))


class ConvRanges(NamedTuple):
    """What one convolution takes, and what it gives, behind its ReLU where one follows."""

    takes: Range
    gives: Range


class EightBitWeight(NamedTuple):
    """A kernel [O, I, h, w] on its grid: whole numbers within ±127, and the scale of each output channel [O]."""

    values: Array
    scales: npt.NDArray[np.float32]


def eight_bit_weight(kernel: Array) -> EightBitWeight:
    """The nearest values to a kernel; a channel's largest magnitude is exact."""
    largest = np.abs(kernel).reshape(len(kernel), -1).max(axis=1)
    scales = np.where(largest > 0, largest / LARGEST_WEIGHT, 1).astype(np.float32)
    return EightBitWeight(np.round(kernel / scales[:, None, None, None].astype(np.float64)), scales)
