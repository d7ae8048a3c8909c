"""How far up the ladder a hot machine may go: a step down while it is too hot, a step up once it is cool."""

from __future__ import annotations

from hemonode.runtime.live.status import HostStatus

STEP_S = 20.0
"""Between two steps down: metal cools slowly."""

COOL_BELOW_C, COOL_FOR_S = 5.0, 30.0
"""So far below the limit, for so long, before a step up."""


class HeatLimit:
    """For one thread at a time. Times are of any clock that never goes back.

    Args:
        top: place of the best setting of the ladder, counted from 0.
    """

    def __init__(self, top: int) -> None:
        self._top = self.ceiling = top
        self._changed_s = -float("inf")
        self._cool_since_s: float | None = None

    def note(self, place: int, host: HostStatus, now_s: float) -> str | None:
        """The machine's state at a time.

        Args:
            place: of the setting in use.
            host: temperatures, throttling.
            now_s: the time.

        Returns:
            Why the ceiling is another now, or None where it is not.
        """
        if too_hot(host):
            self._cool_since_s = None
            if now_s - self._changed_s < STEP_S or place == 0:
                return None
            self.ceiling, self._changed_s = place - 1, now_s
            return f"The machine is too hot ({_told(host)})"
        if self.ceiling == self._top or not _cool(host):
            self._cool_since_s = None
            return None
        self._cool_since_s = now_s if self._cool_since_s is None else self._cool_since_s
        if now_s - self._cool_since_s < COOL_FOR_S:
            return None
        self.ceiling += 1
        self._cool_since_s = now_s
        return f"The machine has cooled down ({_told(host)})"


def too_hot(host: HostStatus) -> bool:
    """Whether it slows itself down for its heat, or is about to."""
    if "heat" in host.throttled_by:
        return True
    return host.hottest_c is not None and host.hot_from_c is not None and host.hottest_c >= host.hot_from_c


def _cool(host: HostStatus) -> bool:
    if host.hottest_c is None or host.hot_from_c is None:
        return True
    return host.hottest_c < host.hot_from_c - COOL_BELOW_C


def _told(host: HostStatus) -> str:
    if host.hottest_c is None:
        return "it says so itself"
    limit = "" if host.hot_from_c is None else f", {host.hot_from_c:.0f} °C are its limit"
    return f"{host.hottest_c:.0f} °C{limit}"
