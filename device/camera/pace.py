"""Keeps a camera's rate: evenly spaced, without drift, and without bursts after a stall."""

from __future__ import annotations

import threading
import time

from hemonode.device.camera.contract import PATIENCE_S
from hemonode.errors import DeviceError

FASTEST_HZ = 10_000.0


def checked_rate_hz(rate_hz: float) -> float:
    """The rate, frames a second.

    Raises:
        DeviceError: it is not above 0 and at most 10,000.
    """
    # Also what is no number fails this comparison.
    if not 0 < rate_hz <= FASTEST_HZ:
        raise DeviceError(f"A rate of {rate_hz:g} frames a second is not usable; give more than 0, up to 10000.")
    return rate_hz


class Pace:
    """Waits for the moment of each frame. Moments lie on one grid, so small delays do not add up."""

    def __init__(self, rate_hz: float) -> None:
        """Start now; the first frame is due at once.

        Raises:
            DeviceError: the rate is not above 0 and at most 10,000 frames a second.
        """
        self._period_ns = round(1e9 / checked_rate_hz(rate_hz))
        self.patience_s = max(PATIENCE_S, 3 / rate_hz)
        self._due_ns = time.monotonic_ns()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End every wait, at once and from now on. From any thread."""
        self._stopped.set()

    def wait(self) -> int | None:
        """Sleep until the next frame is due.

        Returns:
            The time then, ns of the monotonic clock; None once it was stopped.
        """
        now_ns = time.monotonic_ns()
        if self._stopped.wait(max(0, self._due_ns - now_ns) / 1e9):
            return None
        now_ns = time.monotonic_ns()
        # Moments that a slow reader missed are skipped, not made up for.
        missed = (now_ns - self._due_ns) // self._period_ns
        self._due_ns += (missed + 1) * self._period_ns
        return now_ns
