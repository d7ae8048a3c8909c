"""One picture as it left a camera, with the time and scale that belong to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Frame:
    """One captured picture.

    Attributes:
        pixels: uint8 [H, W, 3], BGR. The consumer owns it; no camera writes into it again.
        sequence: number given by the source, rising by one per captured picture; a gap means drops.
        captured_ns: `time.monotonic_ns()` taken at capture.
        um_per_px: micrometres per pixel, or None where the source does not know it.
    """

    pixels: npt.NDArray[np.uint8]
    sequence: int
    captured_ns: int
    um_per_px: float | None = None
