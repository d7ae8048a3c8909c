"""From a picture of any size to its mask and cells: the one way that `run`, `live` and `evaluate` share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from hemonode.runtime.counting.cells import Cell

ScaleSource = Literal["given", "um_per_px", "estimated"]


@dataclass(frozen=True)
class Segmentation:
    """What was found in one picture.

    Attributes:
        class_ids: uint8 [H, W], the picture's own size.
        cells: every visible cell, in pixels of the picture.
        red_cell_px: red-cell diameter, in pixels of the picture, that the scale was set by.
        scale_source: where that diameter came from.
        timings_ms: milliseconds spent per stage: "scale", "preprocess", "engine", "count".
    """

    class_ids: npt.NDArray[np.uint8]
    cells: tuple[Cell, ...]
    red_cell_px: float
    scale_source: ScaleSource
    timings_ms: dict[str, float] = field(default_factory=dict)
