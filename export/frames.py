"""Real pictures, prepared as a device prepares them, to verify a graph on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.errors import ExportError
from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.preprocess import equalise, pad, padded_side, resample
from hemonode.train.data.dataset import Dataset
from hemonode.train.data.spread import spread


@dataclass(frozen=True)
class PreparedFrame:
    """One picture as the graph takes it: uint8 [H, W, 3] BGR at the working scale, sides padded to the stride."""

    name: str
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Preparation:
    """What `prepare` does to a picture: the working scale, equalisation, and the sides that the graph accepts."""

    red_cell_px: float
    preprocessing: PreprocessingRecord
    stride: int
    minimum: int

    def __call__(self, name: str, pixels: npt.NDArray[np.uint8], red_cell_px: float) -> PreparedFrame:
        """Prepare uint8 [H, W, 3] BGR pixels whose red cells measure `red_cell_px`."""
        scaled = equalise(resample(pixels, self.red_cell_px / red_cell_px), self.preprocessing)
        height, width = (padded_side(side, self.stride, self.minimum) for side in scaled.shape[:2])
        return PreparedFrame(name, pad(scaled, height, width))


def spread_frames(dataset: Dataset, count: int, prepare: Preparation, split: str | None = None) -> list[PreparedFrame]:
    """`count` pictures of an open data set or a split of it, or all where it has fewer, evenly spread, prepared.

    Raises:
        ExportError: fewer than one picture is asked for.
        DatasetError, PictureError: there is no such split, or a picture cannot be read.
    """
    if count < 1:
        raise ExportError(f"{count} verification pictures prove nothing: ask for at least one")
    samples = (dataset.read(entry) for entry in spread(dataset.entries(split), count))
    return [prepare(sample.name, sample.pixels, sample.red_cell_px) for sample in samples]


def as_batch(frame: PreparedFrame) -> npt.NDArray[np.uint8]:
    """uint8 [1, H, W, 3]."""
    return frame.pixels[np.newaxis]


def same_size(frames: Sequence[PreparedFrame], stride: int) -> list[PreparedFrame]:
    """The frames cut to the size that all of them have, a multiple of the stride."""
    height = min(frame.pixels.shape[0] for frame in frames) // stride * stride
    width = min(frame.pixels.shape[1] for frame in frames) // stride * stride
    return [PreparedFrame(frame.name, frame.pixels[:height, :width]) for frame in frames]
