"""The rungs of a bundle's ladder: what each costs, as far as it is known, and whether it can be used at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from statistics import median

from hemonode.runtime.bundle.schema import SolverSetting
from hemonode.runtime.live.governor.costs import Costs, evaluations_of, works_of
from hemonode.runtime.live.status import RungStatus
from hemonode.runtime.segmentation import Segmentation

_FRAMES = 16
"""That a setting's time in the engine is the median of."""


class Rungs:
    """For one thread at a time.

    Args:
        settings: from cheap to exact.
        ready: whether a setting's engine is open and warm.
    """

    def __init__(self, settings: Sequence[SolverSetting], ready: Callable[[str], bool]) -> None:
        self._settings = tuple(settings)
        self._ready = ready
        self.names = tuple(setting.name for setting in settings)
        self.costs = Costs(works_of(settings))
        self._engine_ms = {name: deque[float](maxlen=_FRAMES) for name in self.names}

    def note(self, found: Segmentation) -> None:
        """A frame was segmented."""
        if found.model is not None and found.model.setting in self._engine_ms and "engine" in found.timings_ms:
            self._engine_ms[found.model.setting].append(found.timings_ms["engine"])

    def next_better(self, setting: str) -> str | None:
        """The next of the ladder that can be used at once; None at its top."""
        if setting not in self.names:
            return None
        above = self.names[self.names.index(setting) + 1 :]
        return next((name for name in above if self._ready(name)), None)

    def statuses(self, current: str, now_s: float) -> tuple[RungStatus, ...]:
        """All of them; the time of one that has not run yet is predicted from the one in use."""
        return tuple(
            RungStatus(
                setting=setting.name,
                evaluations=evaluations_of(setting),
                tolerance=setting.tolerance,
                ready=self._ready(setting.name),
                engine_ms=self._milliseconds(setting.name, current, now_s),
                estimates=any(block.estimates for block in setting.blocks),
            )
            for setting in self._settings
        )

    def _milliseconds(self, setting: str, current: str, now_s: float) -> float | None:
        if measured := self._engine_ms[setting]:
            return round(median(measured), 2)
        if known := self._engine_ms[current]:
            return round(median(known) * self.costs.ratio(current, setting, now_s), 2)
        return None
