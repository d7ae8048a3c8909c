"""What 8 bits span: the grids that activations and weights are rounded to in an INT8 graph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hemonode.export.graph.weights import Array

LEVELS = 255
"""Steps of an activation's uint8 grid, which is not symmetric: what ReLU leaves uses all of it."""

LARGEST_WEIGHT = 127
"""Weights are symmetric int8 per output channel, so that their zero point is 0, which every engine's kernels take.

CPUs without 8-bit dot products (VNNI) add products in pairs of 16 bits, which saturate. With 63 they never would, but
twice as coarse weights changed more of the masks on every CPU (at worst 9e-4 of a picture against 6e-4) than saturation
did on those (7e-4), and an engine is checked against fp32 on the very machine that it runs on.
"""


WIDEST_RATIO = 4096
"""Of a layer's grids: a channel that training has all but switched off need not be exact, and on a grid as fine as
itself its bias would not fit the 32 bits that products are summed in."""


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
    """The nearest values to a kernel, each output channel on a grid of its own."""
    largest = np.abs(kernel).reshape(len(kernel), -1).max(axis=1)
    scales = (np.maximum(largest, largest.max() / WIDEST_RATIO) / LARGEST_WEIGHT).astype(np.float32)
    scales[scales == 0] = 1
    return EightBitWeight(np.round(kernel / scales[:, None, None, None].astype(np.float64)), scales)
