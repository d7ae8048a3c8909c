"""What the live pipeline makes of one frame, and what takes it from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hemonode.device.frame import Frame
from hemonode.runtime.counting.cells import Tally
from hemonode.runtime.live.scale import Scale
from hemonode.runtime.segmentation import Segmentation


@dataclass(frozen=True)
class Result:
    """One frame with its mask, cells and counts.

    Attributes:
        scale: what the picture was brought to working size by.
        tally: counts per class id.
        stages_ms: wall-clock milliseconds per stage, from capture on.
        latency_ms: from capture to this result.
        in_work: frames that were in work at once: the time from result to result is this one's without waiting, shared
            among so many.
    """

    frame: Frame
    segmentation: Segmentation
    scale: Scale
    tally: Tally
    stages_ms: dict[str, float]
    latency_ms: float
    in_work: int = 1


class Sink(Protocol):
    """Takes every result: the page, later a recorder. Named for the page's list of faults."""

    name: str

    def accept(self, result: Result) -> None:
        """Take a result and return at once; slow work belongs on the sink's own thread."""
