"""The results that pages were shown last, so that what a person saw is what is counted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection

from hemonode.runtime.live.result import Result

MOST_RESULTS = 16
MOST_BYTES = 128 * 2**20
"""Of pictures and masks: sixteen of 1920×1080, four of 4K; the last one is always kept."""


class Shown:
    """Results by the number of their packet: the last ones, and those that are looked at. For any thread.

    Args:
        watched: numbers of the packets that pages show now. A frozen page may look at one for minutes, and then count
            it, while others watch: these are let go last.
    """

    def __init__(self, watched: Callable[[], Collection[int]]) -> None:
        self._watched = watched
        self._lock = threading.Lock()
        self._results = OrderedDict[int, Result]()

    def keep(self, packet: int, result: Result) -> None:
        """A packet was made of this result."""
        with self._lock:
            self._results[packet] = result
            while len(self._results) > 1 and self._too_many():
                del self._results[self._dispensable(packet)]

    def find(self, packet: int) -> Result | None:
        """What a packet showed; None where that is not kept any more."""
        with self._lock:
            return self._results.get(packet)

    def _dispensable(self, latest: int) -> int:
        watched = self._watched()
        earlier = [number for number in self._results if number != latest]
        return next((number for number in earlier if number not in watched), earlier[0])

    def _too_many(self) -> bool:
        kept = self._results.values()
        return len(kept) > MOST_RESULTS or sum(_size(result) for result in kept) > MOST_BYTES


def _size(result: Result) -> int:
    return result.frame.pixels.nbytes + result.segmentation.class_ids.nbytes
