"""What an engine returns for a batch of frames, before any of it is mapped back to the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Prediction:
    """The graph's outputs for N frames of H×W working-scale pixels. The caller owns the arrays.

    Attributes:
        class_ids: uint8 [N, H·m, W·m], where m is the bundle's `mask_scale`.
        peaks: float32 [N, K, 4], columns (class id, x, y, score), sorted by falling score; x and y are in
            pixels of the H×W input (pixel centres at +0.5), score from 0 to 1. Every list has K rows: the
            tail is peaks of no account. A list whose last score reaches a counting threshold is full.
        block_errors: float32 [N, blocks], or None for a solver without an error estimate.
    """

    class_ids: npt.NDArray[np.uint8]
    peaks: npt.NDArray[np.float32]
    block_errors: npt.NDArray[np.float32] | None = None
