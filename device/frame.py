"""One picture as it left a camera, with the time and scale that belong to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

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

    @property
    def taken_at(self) -> datetime:
        """UTC by the wall clock as it is set now: for a record, not a measure."""
        ago_ns = time.monotonic_ns() - self.captured_ns
        return datetime.now(timezone.utc) - timedelta(microseconds=ago_ns / 1000)
