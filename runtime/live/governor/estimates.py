"""What a frame reports about its solver error, beside what calibration saw; and how often it may run again for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hemonode.runtime.bundle.schema import BlockEstimate, SolverSetting
from hemonode.runtime.live.status import BlockErrorStatus, ErrorStatus

EXTRA_SHARE, EXTRA_SAVED = 0.1, 2.0
"""Of all frames, those that may run twice; and how many in a row."""

DRIFT_FRAMES, DRIFT_ABOVE = 300, 0.05
"""Of so many frames 1 % should lie above the 99th percentile of calibration; five times that is another population."""


class Judge:
    """One setting's estimates.

    Args:
        setting: of the bundle.
    """

    def __init__(self, setting: SolverSetting) -> None:
        self._estimates = setting.estimates
        self._above_p99: deque[bool] = deque(maxlen=DRIFT_FRAMES)

    def judge(self, block_errors: Sequence[float] | None) -> ErrorStatus | None:
        """A frame's errors; None where the graph reports none, or the bundle does not say what is usual."""
        if block_errors is None or len(block_errors) != len(self._estimates):
            return None
        pairs = list(zip(self._estimates, block_errors, strict=True))
        self._above_p99.append(any(block.p99 is not None and not error <= block.p99 for block, error in pairs))
        blocks = tuple(
            BlockErrorStatus(block.position, float(error), _usual(block), block.largest) for block, error in pairs
        )
        # Not `error > largest`: NaN is outside, too.
        return ErrorStatus(blocks, outside=any(not error <= block.largest for block, error in pairs))

    @property
    def drifted(self) -> bool:
        """Whether frames as a whole report larger errors than the pictures of calibration did."""
        seen = self._above_p99
        return len(seen) == DRIFT_FRAMES and sum(seen) > DRIFT_ABOVE * DRIFT_FRAMES


class ExtraRuns:
    """Frames that may run twice: a share of all, so that a target cannot be broken for ever."""

    def __init__(self) -> None:
        self._saved = 1.0

    def frame(self) -> None:
        """One frame came."""
        self._saved = min(self._saved + EXTRA_SHARE, EXTRA_SAVED)

    def take(self) -> bool:
        """Whether one may run again now."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


def _usual(block: BlockEstimate) -> float:
    """The highest percentile that calibration could bound."""
    return next(value for value in (block.p99, block.p95, block.median) if value is not None)


def worst(error: ErrorStatus) -> BlockErrorStatus:
    """The block that is farthest beyond what was seen."""

    def excess(block: BlockErrorStatus) -> float:
        # NaN compares with nothing.
        return float("inf") if block.estimate != block.estimate else block.estimate / max(block.largest, 1e-12)

    return max(error.blocks, key=excess)
