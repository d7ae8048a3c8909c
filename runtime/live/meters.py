"""Running figures of the live view: milliseconds per stage, frames per second, and faults, all of bounded size."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.status import Percentiles

_OLD_NEWS_NS = 60 * 10**9

WINDOW = 256
"""Frames that percentiles look back on: about ten seconds at 25 frames/s."""


class StageMeter:
    """Milliseconds per named stage over the last `WINDOW` frames."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[str, deque[float]] = {}

    def add(self, stages_ms: dict[str, float]) -> None:
        """Note what one frame spent in each stage."""
        with self._lock:
            for stage, spent_ms in stages_ms.items():
                self._spent.setdefault(stage, deque(maxlen=WINDOW)).append(spent_ms)

    def percentiles(self) -> dict[str, Percentiles]:
        """Median, 90th and 99th percentile per stage, in the order in which the stages were first seen."""
        with self._lock:
            spent = {stage: np.array(values) for stage, values in self._spent.items()}
        return {
            stage: Percentiles(*(round(float(value), 2) for value in np.percentile(values, (50, 90, 99))))
            for stage, values in spent.items()
        }


class RateMeter:
    """Events per second over the last `span_s` seconds."""

    def __init__(self, span_s: float = 3.0) -> None:
        self._span_s = span_s
        self._lock = threading.Lock()
        self._times: deque[float] = deque(maxlen=1024)

    def tick(self) -> None:
        """One event happened now."""
        with self._lock:
            self._times.append(time.monotonic())

    def rate_hz(self) -> float:
        """Events per second; 0 when nothing happened within the span."""
        now = time.monotonic()
        with self._lock:
            recent = [moment for moment in self._times if now - moment <= self._span_s]
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(now - recent[0], 1e-6)


@dataclass(frozen=True)
class Fault:
    """The latest fault of one part of the live view; `told_ns` is when it was last told as news."""

    origin: str
    message: str
    count: int
    at_ns: int
    told_ns: int = 0


class FaultLog:
    """The latest fault of each part and how many there were. Grows with the number of parts only.

    Args:
        log: is told of each fault that is news: another one, or the same after a minute.
    """

    def __init__(self, log: EventLog | None = None) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}

    def report(self, origin: str, error: BaseException) -> None:
        """Note a fault of the part called `origin`."""
        message = str(error) or type(error).__name__
        with self._lock:
            earlier = self._faults.get(origin)
            count = earlier.count + 1 if earlier else 1
            at_ns = time.monotonic_ns()
            news = earlier is None or earlier.message != message or at_ns - earlier.told_ns > _OLD_NEWS_NS
            told_ns = at_ns if news or earlier is None else earlier.told_ns
            self._faults[origin] = Fault(origin, message, count, at_ns, told_ns)
        if self._log is not None and news:
            self._log.add("fault", message, origin=origin, count=count)

    def count(self, origin: str) -> int:
        """How many faults the part called `origin` had."""
        with self._lock:
            fault = self._faults.get(origin)
        return fault.count if fault else 0

    def recent(self, within_s: float = 10.0) -> list[Fault]:
        """Faults that are still news."""
        oldest_ns = time.monotonic_ns() - int(within_s * 1e9)
        with self._lock:
            return [fault for fault in self._faults.values() if fault.at_ns >= oldest_ns]
