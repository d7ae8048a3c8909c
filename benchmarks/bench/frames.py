"""Frames to time engines on: real pictures prepared as the device does, put together where a frame is larger."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low

import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.preprocess import equalise, pad, padded_side, resample
from hemonode.train.data.dataset import Dataset
from hemonode.train.data.sample import Sample
from hemonode.train.data.spread import spread

Pixels = npt.NDArray[np.uint8]

MOST_FRAMES = 16
"""Different frames that runs cycle through: enough that an adaptive solver meets easy and hard ones."""


def make_frames(dataset: Dataset, split: str, manifest: Manifest, size_px: tuple[int, int] | None) -> Pixels:
    """Frames for an engine.

    Args:
        dataset: labelled pictures; only their scale is used.
        split: of these.
        manifest: working scale, equalisation and what sides the graph takes.
        size_px: (width, height) at the working scale; None: the pictures' usual one.

    Returns:
        uint8 [K, H, W, 3] BGR, K up to 16; H and W padded to what the graph takes.

    Raises:
        DatasetError, PictureError: a picture or its labels cannot be read.
    """
    samples = [dataset.read(entry) for entry in spread(dataset.entries(split), MOST_FRAMES)]
    pictures = [_working_scale(sample, manifest) for sample in samples]
    width, height = size_px or (median_low(p.shape[1] for p in pictures), median_low(p.shape[0] for p in pictures))
    stride, minimum = manifest.input.stride, manifest.input.minimum
    frames = []
    for number in range(len(pictures)):
        equalised = equalise(_mosaic(pictures[number:] + pictures[:number], height, width), manifest.preprocessing)
        frames.append(pad(equalised, padded_side(height, stride, minimum), padded_side(width, stride, minimum)))
    return np.stack(frames)


def _working_scale(sample: Sample, manifest: Manifest) -> Pixels:
    return resample(sample.pixels, manifest.scale.red_cell_px / sample.red_cell_px)


def _mosaic(pictures: Sequence[Pixels], height: int, width: int) -> Pixels:
    """Pictures side by side, as many as cover height × width, each cut to what all of them have."""
    cell_height, cell_width = (min(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    columns, rows = -(-width // cell_width), -(-height // cell_height)
    cells = [pictures[index % len(pictures)][:cell_height, :cell_width] for index in range(rows * columns)]
    lines = [np.concatenate(cells[row * columns : (row + 1) * columns], axis=1) for row in range(rows)]
    return np.ascontiguousarray(np.concatenate(lines)[:height, :width])
