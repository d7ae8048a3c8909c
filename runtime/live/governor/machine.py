"""What the machine's heat and power mode mean for the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hemonode.runtime.live.governor.heat import HeatLimit
from hemonode.runtime.live.governor.moves import Move
from hemonode.runtime.live.governor.steering import Steering
from hemonode.runtime.live.status import HostStatus

EVERY_S = 1.0
POWER_NEWS_S = 120.0
"""For so long after a change of the power mode it is what keeps the governor from a better setting."""


class TellsStatus(Protocol):
    """What is needed of `hemonode.runtime.live.host.HostWatch`."""

    def status(self) -> HostStatus:
        """The machine now."""


class MachineLimit:
    """For one thread at a time. Times are of any clock that never goes back.

    Args:
        ladder: solver settings from cheap to exact.
        host: at the start.
    """

    def __init__(self, ladder: Sequence[str], host: HostStatus) -> None:
        self._ladder = tuple(ladder)
        self._heat = HeatLimit(len(ladder) - 1)
        self._power_mode = host.power_mode
        self._power_changed_s = self._looked_s = -float("inf")

    def look(self, steering: Steering, host: TellsStatus, now_s: float) -> list[Move | None]:
        """Look at the machine, at most once a second, and tell the steering what it may do."""
        if now_s - self._looked_s < EVERY_S:
            return []
        self._looked_s = now_s
        seen = host.status()
        return [self._power(steering, seen, now_s), self._temperature(steering, seen, now_s)]

    def cause(self, limited_by: str | None, now_s: float) -> str | None:
        """What limits it, where the steering knows of load only."""
        if limited_by == "load" and now_s - self._power_changed_s < POWER_NEWS_S:
            return "power"
        return limited_by

    def _power(self, steering: Steering, host: HostStatus, now_s: float) -> Move | None:
        if host.power_mode == self._power_mode:
            return None
        before, self._power_mode = self._power_mode, host.power_mode
        self._power_changed_s = now_s
        # Another clock: nothing that was measured holds any more.
        steering.forget()
        reason = f"The power mode is now {host.power_mode}, it was {before}: what a frame takes is measured anew."
        return Move(steering.setting, steering.setting, "power", reason, {"power_mode": str(host.power_mode)})

    def _temperature(self, steering: Steering, host: HostStatus, now_s: float) -> Move | None:
        reason = self._heat.note(self._ladder.index(steering.setting), host, now_s)
        if reason is None:
            return None
        return steering.limit(self._heat.ceiling, "heat", reason, now_s)
