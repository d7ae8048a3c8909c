"""What a camera gave and lost, over all of its openings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hemonode.device.frame import Frame
from hemonode.runtime.live.meters import RateMeter
from hemonode.runtime.live.status import CameraState, SourceStatus


class CaptureCounts:
    """Running sums since the start; they never fall, also when another source is chosen.

    Attributes:
        stalls: times the camera stopped without an error.
        reopened: times it was opened again.
    """

    def __init__(self) -> None:
        self.stalls = 0
        self.reopened = 0
        self._lock = threading.Lock()
        self._rate = RateMeter()
        self._captured = 0
        self._missed = 0
        self._damaged_before = 0
        self._damaged_now: Callable[[], int] = int
        self._damaged_at_latest = 0
        self._expected: int | None = None
        self._size: tuple[int, int] | None = None
        self._latest_ns = time.monotonic_ns()

    def another_source(self) -> None:
        """What was seen of the one before says nothing of this one."""
        with self._lock:
            self._size = None
            self._latest_ns = time.monotonic_ns()
            self._rate = RateMeter()

    def opening(self, damaged: Callable[[], int]) -> None:
        """A camera is opened, which numbers its pictures anew; `damaged` tells how many arrived incomplete."""
        with self._lock:
            self._damaged_before += self._damaged_now()
            self._damaged_now = damaged
            self._damaged_at_latest = 0
            self._expected = None

    def add(self, frame: Frame, damaged: int) -> None:
        """Note a picture; `damaged`: those that arrived incomplete since the opening."""
        with self._lock:
            if self._expected is not None:
                # One that arrived incomplete leaves a gap, too.
                gap = frame.sequence - self._expected - (damaged - self._damaged_at_latest)
                self._missed += max(0, gap)
            self._expected = frame.sequence + 1
            self._damaged_at_latest = damaged
            self._captured += 1
            self._size = (frame.pixels.shape[1], frame.pixels.shape[0])
            self._latest_ns = frame.captured_ns
            self._rate.tick()

    def status(self, source_id: str, name: str, kind: str, state: CameraState) -> SourceStatus:
        """Of this moment."""
        with self._lock:
            width, height = self._size or (None, None)
            return SourceStatus(
                id=source_id,
                name=name,
                kind=kind,
                state=state,
                width=width,
                height=height,
                rate_hz=round(self._rate.rate_hz(), 2),
                age_s=round((time.monotonic_ns() - self._latest_ns) / 1e9, 2),
                captured=self._captured,
                missed=self._missed,
                damaged=self._damaged_before + self._damaged_now(),
                stalls=self.stalls,
                reopened=self.reopened,
            )
