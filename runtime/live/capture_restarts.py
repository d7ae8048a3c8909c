"""When a camera that failed may be opened again: pauses that double, and only so many times a minute."""

from __future__ import annotations

from collections import deque

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
MOST_A_MINUTE = 5
"""A camera that opens and fails at once is not opened more often than this: it may be what makes it fail."""

_MINUTE_S = 60.0


class Restarts:
    """Times are of the monotonic clock, seconds. Tries that fail cost the camera nothing and are not limited."""

    def __init__(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self._opened_s: deque[float] = deque(maxlen=MOST_A_MINUTE)

    def pause_s(self, now_s: float) -> float:
        """How long to wait before the next try; longer at each call until a picture comes."""
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return max(pause_s, self.held_s(now_s))

    def held_s(self, now_s: float) -> float:
        """How long the limit alone keeps the camera closed; 0 where it does not."""
        if len(self._opened_s) < MOST_A_MINUTE:
            return 0.0
        return max(0.0, self._opened_s[0] + _MINUTE_S - now_s)

    def opened(self, now_s: float) -> None:
        """The camera was opened again."""
        self._opened_s.append(now_s)

    def delivered(self) -> None:
        """A picture came: the next failure is another one."""
        self._pause_s = FIRST_PAUSE_S
