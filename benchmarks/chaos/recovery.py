"""Breaks a live view, and times how long it takes until everything works again."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import Any

from hemonode.benchmarks.chaos.faults import Fault, Store
from hemonode.benchmarks.chaos.program import Program

LONGEST_S = 90.0
_POLL_S = 0.1
_STEADY_S = 10.0
"""With everything well and new results all the time: a fault that does not show at once shows within it."""


@dataclass(frozen=True)
class Recovery:
    """How a fault was survived.

    Attributes:
        seconds: from the end of its cause until everything worked again; None where it did not within `LONGEST_S`.
        longest_gap_s: without any result, from the beginning of the fault on.
        told: what the view said of it.
    """

    fault: Fault
    seconds: float | None
    longest_gap_s: float
    told: tuple[str, ...]


def break_and_time(program: Program, fault: Fault, store: Store) -> Recovery:
    """Inject one fault and wait until it is survived.

    Raises:
        HemonodeError: the program ended by itself.
    """
    watch = _Watch(program)
    watch.start()
    fault.inject(program, store)
    gone_s = time.monotonic()
    recovered = watch.wait_until_well(gone_s)
    told = watch.stop()
    return Recovery(fault, recovered, watch.longest_gap_s, told)


class _Watch:
    """Asks for the status ten times a second."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._stopping = threading.Event()
        self._well_since_s: float | None = None
        self._told: dict[str, str] = {}
        self.longest_gap_s = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> tuple[str, ...]:
        self._stopping.set()
        self._thread.join()
        return tuple(self._told.values())

    def wait_until_well(self, since_s: float) -> float | None:
        """Seconds from a moment until a steady run of good answers began that has lasted."""
        while time.monotonic() < since_s + LONGEST_S:
            well_s = self._well_since_s
            if well_s is not None and time.monotonic() - max(well_s, since_s) > _STEADY_S:
                return max(0.0, well_s - since_s)
            time.sleep(_POLL_S / 2)
        return None

    def _run(self) -> None:
        results, last_result_s = -1, time.monotonic()
        while not self._stopping.wait(_POLL_S):
            status = self._status()
            now_s = time.monotonic()
            if status is not None and status["results"] != results:
                self.longest_gap_s = max(self.longest_gap_s, now_s - last_result_s)
                results, last_result_s = status["results"], now_s
            well = status is not None and _well(status) and now_s - last_result_s < 1.0
            if not well:
                self._well_since_s = None
            elif self._well_since_s is None:
                self._well_since_s = now_s

    def _status(self) -> dict[str, Any] | None:
        try:
            status = self._program.status()
        except OSError:
            return None
        for sentences in (status["message"], status["recorder"]["message"]):
            # The latest fault comes last; ages and numbers in a sentence make no other one.
            for sentence in (sentences or "").splitlines()[-1:]:
                self._told.setdefault(re.sub(r"\d+", "#", sentence), sentence)
        return status


def _well(status: dict[str, Any]) -> bool:
    recorder = status["recorder"]
    return bool(status["state"] == "running" and recorder["state"] == "recording" and recorder["waiting"] <= 1)
