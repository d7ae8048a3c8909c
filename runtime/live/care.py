"""What is done about an engine that fails, hangs or runs out of memory while frames flow."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from hemonode.errors import BundleError, EngineError, PictureError, TooManyCellsError
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.segment import Segmenter

FAILURES_IN_A_ROW = 3
"""Then the engine is opened anew."""

TIMES_OPENED_ANEW = 2
"""Within `_REMEMBERED_S`; if it fails again after these, the next engine takes its place."""

MOST_LEFT_BEHIND = 4
"""Engines that never came back hold their memory; with more of them the machine would go under."""

_REMEMBERED_S = 600.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_RELIEF_S = 300.0

# The picture's fault, or the caller's: another engine would say the same.
_NOT_THE_ENGINE = (PictureError, TooManyCellsError, BundleError)
_OUT_OF_MEMORY = ("bad_alloc", "out of memory", "out_of_memory", "cannot allocate memory", "failed to allocate")


class EngineCare:
    """For any thread.

    Args:
        segmenter: whose engines these are.
        log: hears of every move.
        faults: hears of what cannot be mended, and of memory that runs out, which every frame may say again.
        relieve: called when memory ran out, with the setting in use and for how long no other shall be opened.
    """

    def __init__(
        self, segmenter: Segmenter, log: EventLog, faults: FaultLog, relieve: Callable[[str, float], None]
    ) -> None:
        self._segmenter = segmenter
        self._log = log
        self._faults = faults
        self._relieve = relieve
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._opened_anew_s: deque[float] = deque(maxlen=64)
        self._left_behind = 0
        self._pause_s = _FIRST_PAUSE_S
        self._not_before_s = 0.0

    def worked(self) -> None:
        """A frame was segmented."""
        if self._in_a_row:
            with self._lock:
                self._in_a_row = 0

    def failed(self, setting: str, error: BaseException) -> None:
        """A frame was not; `error` says why."""
        if isinstance(error, _NOT_THE_ENGINE):
            return
        if out_of_memory(error):
            self._faults.report(
                "memory", EngineError(f"Memory ran out: the engines of other settings than {setting} are closed.")
            )
            self._relieve(setting, _RELIEF_S)
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row < FAILURES_IN_A_ROW or time.monotonic() < self._not_before_s:
                return
            self._in_a_row = 0
            name = self._segmenter.engine.name
            reason = f"{FAILURES_IN_A_ROW} frames in a row failed, the last with: {error}"
            if not self._passes_over(name, reason):
                self._segmenter.engines.throw_away(lambda rung: rung.setting == setting)
                self._log.add("engine", f"The {name} engine for {setting} is opened anew: {reason}", engine=name)
                self._pause()

    def give_up(self, thread: int) -> bool:
        """A thread does not come back. False: it opens an engine, or there were too many already; leave it."""
        with self._lock:
            engines = self._segmenter.engines
            if self._left_behind >= MOST_LEFT_BEHIND or engines.is_opening(thread):
                return False
            if not engines.give_up(thread):
                return True  # it was not in an engine, or in one that was left behind already
            self._left_behind += 1
            name = self._segmenter.engine.name
            if not self._passes_over(name, "it did not answer."):
                self._log.add("engine", f"The {name} engine did not answer; it is left behind and opened anew.")
            if self._left_behind == MOST_LEFT_BEHIND:
                self._faults.report(
                    "engine", EngineError(f"{MOST_LEFT_BEHIND} engines never answered; start hemonode again.")
                )
            return True

    def _passes_over(self, name: str, reason: str) -> bool:
        """Take the next engine of the table where this one was opened anew in vain."""
        now = time.monotonic()
        lately = [moment for moment in self._opened_anew_s if now - moment < _REMEMBERED_S]
        self._opened_anew_s.append(now)
        if len(lately) < TIMES_OPENED_ANEW:
            return False
        try:
            self._segmenter.engines.do_without(name, f"it kept failing: {reason}")
        except EngineError as error:
            self._faults.report("engine", error)
            return False
        self._opened_anew_s.clear()
        self._pause_s, self._not_before_s = _FIRST_PAUSE_S, 0.0
        self._log.add("engine", f"The {name} engine keeps failing, and the next takes its place: {reason}", engine=name)
        return True

    def _pause(self) -> None:
        """Opening costs seconds of the processor: not after every third frame for hours."""
        self._not_before_s = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that memory ran out."""
    while error is not None:
        if isinstance(error, MemoryError) or any(word in str(error).lower() for word in _OUT_OF_MEMORY):
            return True
        error = error.__cause__
    return False
