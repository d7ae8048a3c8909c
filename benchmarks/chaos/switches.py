"""What shall go wrong next in the camera and the engine of a live view: set by one thread, obeyed by others."""

from __future__ import annotations

import threading
import time

HANG_S = 120.0
"""After which a call that hung comes back, when nobody waits for it any more."""


class Switch:
    """A fault that can be on for some seconds, or for some events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until_s = 0.0
        self._times = 0

    def for_seconds(self, seconds: float) -> None:
        """On from now for so long."""
        with self._lock:
            self._until_s = time.monotonic() + seconds

    def for_times(self, times: int) -> None:
        """On for the next events."""
        with self._lock:
            self._times = times

    def strikes(self) -> bool:
        """Whether this event shall go wrong."""
        with self._lock:
            if self._times > 0:
                self._times -= 1
                return True
            return time.monotonic() < self._until_s


SWITCHES = {
    name: Switch()
    for name in (
        "camera_gone",
        "camera_stalls",
        "camera_hangs",
        "camera_half_frames",
        "engine_throws",
        "engine_hangs",
    )
}
