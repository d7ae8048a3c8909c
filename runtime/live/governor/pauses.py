"""How long a setting is left alone after it turned out to be too slow."""

from __future__ import annotations

FIRST_S, LONGEST_S = 10.0, 600.0

FAILED_WITHIN_S = 30.0
"""A setting that had to be left so soon was no good idea: the next try waits twice as long."""


class Pauses:
    """By setting. Times are of any clock that never goes back."""

    def __init__(self) -> None:
        self._entered_s: dict[str, float] = {}
        self._pause_s: dict[str, float] = {}
        self._until_s: dict[str, float] = {}

    def entered(self, setting: str, now_s: float) -> None:
        """It is in use from now on."""
        self._entered_s[setting] = now_s

    def left(self, setting: str, now_s: float) -> None:
        """It was too slow."""
        held_s = now_s - self._entered_s.get(setting, -float("inf"))
        before = self._pause_s.get(setting)
        if before is None:
            pause_s = FIRST_S
        elif held_s < FAILED_WITHIN_S:
            pause_s = min(2 * before, LONGEST_S)
        else:
            pause_s = max(FIRST_S, before / 2)
        self._pause_s[setting] = pause_s
        self._until_s[setting] = now_s + pause_s

    def holds(self, setting: str, now_s: float) -> bool:
        """Whether it shall not be tried yet."""
        return now_s < self._until_s.get(setting, -float("inf"))

    def forget(self) -> None:
        """The machine, or what is asked of it, is another now."""
        self._pause_s.clear()
        self._until_s.clear()
