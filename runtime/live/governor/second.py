"""Frames that run again, on the next better setting, because they report an error that calibration never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hemonode.runtime.bundle.schema import SolverSetting
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.governor.estimates import ExtraRuns, Judge, worst
from hemonode.runtime.live.status import ErrorStatus
from hemonode.runtime.segmentation import Segmentation

_TELL_EVERY_S = 60.0
"""One event a minute says as much as one for each frame."""

_DRIFT_EVERY_S = 600.0


class SecondRuns:
    """For one thread at a time. Times are of any clock that never goes back.

    Args:
        settings: of the bundle.
        log: hears of it.

    Attributes:
        count: frames that were run again.
        error: of the latest frame; None where its setting reports none.
    """

    def __init__(self, settings: Sequence[SolverSetting], log: EventLog) -> None:
        self._judges = {setting.name: Judge(setting) for setting in settings}
        self._log = log
        self._extra = ExtraRuns()
        self.count = 0
        self.error: ErrorStatus | None = None
        self._untold = 0
        self._told_s = self._drift_told_s = -float("inf")

    def outside(self, found: Segmentation, now_s: float) -> bool:
        """Whether a frame reports more than was seen at calibration. Every frame is asked about once."""
        self._extra.frame()
        judge = None if found.model is None else self._judges.get(found.model.setting)
        self.error = None if judge is None else judge.judge(found.block_errors)
        if judge is not None and judge.drifted and now_s - self._drift_told_s > _DRIFT_EVERY_S:
            self._drift_told_s = now_s
            self._log.add(
                "governor",
                "More than 5 of 100 pictures report a solver error that 1 of 100 did at calibration: they are of "
                "another kind than those; compare with a more accurate setting.",
            )
        return self.error is not None and self.error.outside

    def may_run(self) -> bool:
        """Whether one may run again without breaking the target for long."""
        return self._extra.take()

    def ran(self, before: str, after: str, now_s: float) -> None:
        """A frame that was outside ran again."""
        self.count += 1
        self._untold += 1
        if now_s - self._told_s < _TELL_EVERY_S or self.error is None:
            return
        block = worst(self.error)
        self._log.add(
            "governor",
            f"{self._untold} {'frame' if self._untold == 1 else 'frames'} ran again on {after}: on {before} block "
            f"{block.position} reported an error of {block.estimate:.3g}, and calibration saw at most "
            f"{block.largest:.3g}.",
            setting=after,
            frames=self._untold,
            estimate=block.estimate,
            largest=block.largest,
        )
        self._untold, self._told_s = 0, now_s


def joined(first: Segmentation, second: Segmentation) -> Segmentation:
    """The second answer, with the time that both took."""
    stages = {**first.timings_ms, **second.timings_ms}
    spent = {stage: first.timings_ms.get(stage, 0.0) + second.timings_ms.get(stage, 0.0) for stage in stages}
    return replace(second, timings_ms=spent)
