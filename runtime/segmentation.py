"""What becomes of a picture on its way through a model: prepared, inferred, segmented."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.tiling import Plan

Pixels = npt.NDArray[np.uint8]
ScaleSource = Literal["given", "um_per_px", "estimated"]


@dataclass(frozen=True)
class ModelUsed:
    """What computed a segmentation; recorded with each count.

    Attributes:
        bundle: its name.
        bundle_sha256: its identity.
        setting: solver setting that gave the answer.
        engine: "openvino".
        version: of the engine, with its library's name.
        precision: it computed in.
    """

    bundle: str
    bundle_sha256: str
    setting: str
    engine: str
    version: str
    precision: str


@dataclass(frozen=True)
class Segmentation:
    """What was found in one picture.

    Attributes:
        class_ids: uint8 [H, W], the picture's own size.
        cells: every visible cell, in pixels of the picture.
        red_cell_px: red-cell diameter, in pixels of the picture, that the scale was set by.
        scale_source: where that diameter came from.
        model: what computed it; None where that was no bundle's.
        block_errors: local error that each estimating ODE block reported, the largest over the tiles, in the solver's
            norm (see `BlockEstimate`) and by rising position; None where the setting reports none.
        timings_ms: milliseconds spent per stage: "scale", "preprocess", "engine", "count".
    """

    class_ids: Pixels
    cells: tuple[Cell, ...]
    red_cell_px: float
    scale_source: ScaleSource
    model: ModelUsed | None = None
    block_errors: tuple[float, ...] | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """A picture at the working scale, equalised, with its tiles."""

    height: int
    width: int
    pixels: Pixels
    plan: Plan
    red_cell_px: float
    scale_source: ScaleSource
    timings_ms: dict[str, float]


@dataclass(frozen=True)
class Inferred:
    """A whole picture's answer: class ids at `mask_scale` times the working scale, raw peaks at the working scale."""

    class_ids: Pixels
    peaks: npt.NDArray[np.float32]
    model: ModelUsed
    block_errors: tuple[float, ...] | None
    engine_ms: float
