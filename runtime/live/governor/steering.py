"""The governor's decisions: fed with frames and a clock, it says when to change the solver setting, and why."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from hemonode.runtime.live.governor.costs import Costs
from hemonode.runtime.live.governor.moves import Move, Taken
from hemonode.runtime.live.governor.pauses import Pauses

QUICK_FRAMES, QUICK_OVER = 8, 4
"""So many of the last frames above the target are no accident: step down."""

SLOW_FRAMES, SLOW_OVER = 48, 12
"""Nor are so many of these, however they are spread."""

HOLD_S = 3.0
"""A better setting must have been predicted to fit for so long."""

MARGIN = 0.85
"""Of the target, that the prediction for a better setting must keep."""

_OLDEST_S = 15.0
"""Frames that are older say nothing of now."""


class Steering:
    """For one thread at a time. Times are of any clock that never goes back.

    Args:
        ladder: solver settings from cheap to exact.
        costs: of them.
        target_ms: to keep.
        start: setting to begin with.
        ready: whether a setting's engine is open and warm.
        want: asks for that.
    """

    def __init__(
        self,
        ladder: Sequence[str],
        costs: Costs,
        target_ms: float,
        start: str,
        ready: Callable[[str], bool],
        want: Callable[[str], None],
    ) -> None:
        self._ladder = tuple(ladder)
        self._costs = costs
        self._ready = ready
        self._want = want
        self.target_ms = target_ms
        self.setting = start
        self.unfit = False
        """Whether even the cheapest setting does not keep the target."""
        self._ceiling = len(self._ladder) - 1
        self._window: deque[Taken] = deque(maxlen=SLOW_FRAMES)
        self._fits_since_s: float | None = None
        self._pauses = Pauses()
        self._before: tuple[str, float] | None = None
        self._open_since_s: float | None = None
        self._well_since_s: float | None = None

    @property
    def over(self) -> bool:
        """Whether frames take too long now."""
        return self._too_long() is not None

    def note(self, taken: Taken) -> Move | None:
        """One frame was done; the answer is what to do about it, which is done already here."""
        if taken.setting != self.setting:
            return None  # begun before the last move, or run on a better setting for its error
        if not self._ready(self.setting):
            self._open_since_s = None
            return None
        if self._open_since_s is None:
            self._open_since_s = taken.at_s
        if taken.begun_s < self._open_since_s:
            return None  # it waited for its engine to open, which says nothing of later ones
        self._window.append(taken)
        while taken.at_s - self._window[0].at_s > _OLDEST_S:
            self._window.popleft()
        self._learn(taken.at_s)
        evidence = self._too_long()
        if evidence is not None:
            self._fits_since_s = self._well_since_s = None
            return self._down(evidence, taken.at_s)
        self.unfit = self.unfit and not self._keeps_well(taken.at_s)
        return self._up(taken.at_s)

    def limit(self, ceiling: int, cause: str, reason: str, now_s: float) -> Move | None:
        """Nothing above this place of the ladder for now."""
        self._ceiling = ceiling
        return self.go(self._ladder[ceiling], cause, reason, now_s) if self._place > ceiling else None

    def go(self, setting: str, cause: str, reason: str, now_s: float) -> Move:
        """Use a setting for a reason that no frame gave."""
        return self._move(setting, cause, reason, {}, now_s)

    def tell_unfit(self) -> Move:
        """That even the cheapest setting does not keep the target, or does again."""
        values = sorted(taken.value_ms for taken in list(self._window)[-QUICK_FRAMES:])
        took = f"frames take {_span(values)} ms, and the target is {self.target_ms:g} ms"
        reason = (
            f"Even {self.setting} does not keep the target: {took}."
            if self.unfit
            else (f"{self.setting} keeps the target again: {took}.")
        )
        return Move(self.setting, self.setting, "load", reason, {"target_ms": self.target_ms})

    def aim(self, target_ms: float) -> None:
        """Keep another target."""
        if target_ms != self.target_ms:
            self.target_ms = target_ms
            self.unfit = False
            self.forget()

    def forget(self) -> None:
        """What was measured holds no more: another target, power mode, camera."""
        self._window.clear()
        self._pauses.forget()
        self._costs.forget()
        self._fits_since_s = self._before = None

    def predicted_ms(self, setting: str) -> float | None:
        """What most frames (9 of 10) would take on a setting, as the target counts; None before any was measured."""
        if not self._window:
            return None
        values = sorted(taken.value_ms for taken in self._window)
        return values[math.ceil(0.9 * len(values)) - 1] + self._engine_ms() * self._extra(setting)

    def limited_by(self, now_s: float) -> str | None:
        """What keeps it from the next better setting: "load", "heat", "building", or None at the top."""
        if self._place == len(self._ladder) - 1:
            return None
        if self._place >= self._ceiling:
            return "heat"
        above = self._ladder[self._place + 1]
        fits = self._fits_since_s is not None and not self._pauses.holds(above, now_s)
        return "building" if fits and not self._ready(above) else "load"

    @property
    def _place(self) -> int:
        return self._ladder.index(self.setting)

    def _too_long(self) -> list[Taken] | None:
        """The last frames, where too many of them took too long."""
        for frames, over in ((QUICK_FRAMES, QUICK_OVER), (SLOW_FRAMES, SLOW_OVER)):
            last = list(self._window)[-frames:]
            if sum(taken.value_ms > self.target_ms for taken in last) >= over:
                return last
        return None

    def _keeps_well(self, now_s: float) -> bool:
        """Whether hardly a frame has been above the target for a while: far fewer than say the opposite."""
        last = list(self._window)[-QUICK_FRAMES:]
        if len(last) < QUICK_FRAMES or sum(taken.value_ms > self.target_ms for taken in last) > 1:
            self._well_since_s = None
            return False
        self._well_since_s = now_s if self._well_since_s is None else self._well_since_s
        return now_s - self._well_since_s >= HOLD_S

    def _down(self, last: list[Taken], now_s: float) -> Move | None:
        if self._place == 0:
            self.unfit = True
            return None
        below = [setting for setting in self._ladder[: self._place] if self._ready(setting)]
        if not below:
            self._want(self._ladder[self._place - 1])
            return None
        late = [taken for taken in last if taken.value_ms > self.target_ms]
        fitting = [
            setting
            for setting in below
            if median(taken.value_ms + taken.engine_ms * self._extra(setting) for taken in late) <= self.target_ms
        ]
        long = sorted(taken.value_ms for taken in late)
        reason = f"{len(long)} of the last {len(last)} frames took {_span(long)} ms, above {self.target_ms:g} ms"
        figures = {"frames": len(last), "over": len(long), "median_ms": round(median(long), 1)}
        self._pauses.left(self.setting, now_s)
        return self._move(fitting[-1] if fitting else below[0], "load", reason, figures, now_s)

    def _up(self, now_s: float) -> Move | None:
        above = self._ladder[self._place + 1] if self._place < self._ceiling else None
        predicted = None if above is None else self.predicted_ms(above)
        if above is None or predicted is None or predicted > MARGIN * self.target_ms:
            self._fits_since_s = None
            return None
        self._fits_since_s = now_s if self._fits_since_s is None else self._fits_since_s
        if len(self._window) < QUICK_FRAMES or now_s - self._fits_since_s < HOLD_S or self._pauses.holds(above, now_s):
            return None
        if not self._ready(above):
            self._want(above)
            return None
        now = self.predicted_ms(self.setting)
        reason = (
            f"9 of 10 frames took at most {now:.0f} ms, and should take {predicted:.0f} ms on {above}, "
            f"within {self.target_ms:g} ms"
        )
        figures = {"predicted_ms": round(predicted, 1), "frames": len(self._window)}
        return self._move(above, "room", reason, figures, now_s)

    def _move(self, after: str, cause: str, reason: str, figures: Mapping[str, float], now_s: float) -> Move:
        before = self.setting
        self._before = before, self._engine_ms()
        self.setting = after
        self._window.clear()
        self._fits_since_s = None
        self._pauses.entered(after, now_s)
        told = {**figures, "target_ms": self.target_ms}
        return Move(before, after, cause, f"{reason}: from {before} to {after}.", told)

    def _learn(self, now_s: float) -> None:
        """Once after a move: how the engine's times of the two settings compare."""
        if self._before is None or len(self._window) < QUICK_FRAMES:
            return
        before, before_ms = self._before
        self._before, engine_ms = None, self._engine_ms()
        if before_ms > 0 and engine_ms > 0:
            self._costs.learn(before, self.setting, engine_ms / before_ms, now_s)

    def _engine_ms(self) -> float:
        """Lately; 0 where no frame is known."""
        last = list(self._window)[-QUICK_FRAMES:]
        return median(taken.engine_ms for taken in last) if last else 0.0

    def _extra(self, setting: str) -> float:
        """What share of the engine's time comes on top on a setting; below 0 where it is cheaper."""
        return self._costs.ratio(self.setting, setting, self._window[-1].at_s) - 1


def _span(values: Sequence[float]) -> str:
    least, most = f"{values[0]:.0f}", f"{values[-1]:.0f}"
    return least if least == most else f"{least} to {most}"
