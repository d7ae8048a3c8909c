"""Counts of what is in view now, over the last second: steady enough to read, and marked as live."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from hemonode.runtime.live.result import Result
from hemonode.runtime.live.status import LiveCount

SPAN_S = 1.0
# More frames than any camera gives in the span.
_MOST = 256


class LiveCounts:
    """Counts of the last pictures. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[tuple[int, dict[int, int]]] = deque(maxlen=_MOST)

    def add(self, result: Result) -> None:
        """Note what a picture shows."""
        with self._lock:
            self._seen.append((result.frame.captured_ns, result.tally.in_frame))

    def clear(self) -> None:
        """What comes next has nothing to do with what was."""
        with self._lock:
            self._seen.clear()

    def counts(self) -> tuple[LiveCount, ...]:
        """By class id: in the latest picture, and the middle of the last second's (mean of the middle half)."""
        with self._lock:
            seen = list(self._seen)
        if not seen:
            return ()
        latest_ns, latest = seen[-1]
        recent = [
            counts for at_ns, counts in seen if latest_ns - at_ns <= SPAN_S * 1e9 and counts.keys() == latest.keys()
        ]
        return tuple(LiveCount(number, latest[number], _middle([c[number] for c in recent])) for number in latest)


def _middle(values: list[int]) -> float:
    """Mean of the middle half: a picture or two that were misjudged do not move it."""
    ordered = np.sort(np.array(values, np.float64))
    cut = len(ordered) // 4
    return round(float(ordered[cut : len(ordered) - cut].mean()), 2)
