"""Keeps a camera's rate: evenly spaced, without drift, and without bursts after a stall."""

from __future__ import annotations

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

    def wait(self) -> int:
        """Sleep until the next frame is due, and return the time then, ns of the monotonic clock."""
        now_ns = time.monotonic_ns()
        if now_ns < self._due_ns:
            time.sleep((self._due_ns - now_ns) / 1e9)
            now_ns = time.monotonic_ns()
        # Moments that a slow reader missed are skipped, not made up for.
        missed = (now_ns - self._due_ns) // self._period_ns
        self._due_ns += (missed + 1) * self._period_ns
        return now_ns
