"""The governor: frames go through it to the model, on the setting that it holds to be right."""

from __future__ import annotations

import threading
import time

import numpy as np
import numpy.typing as npt

from hemonode.errors import UnknownNameError
from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.governor.machine import MachineLimit
from hemonode.runtime.live.governor.moves import Move, Taken
from hemonode.runtime.live.governor.rungs import Rungs
from hemonode.runtime.live.governor.second import SecondRuns, joined
from hemonode.runtime.live.governor.steering import Steering
from hemonode.runtime.live.host import HostWatch
from hemonode.runtime.live.model import LiveModel
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.status import SolverStatus
from hemonode.runtime.live.view import SolverWish
from hemonode.runtime.segmentation import Segmentation

USUAL_TARGET_MS = {"latency": 100.0, "frame_time": 50.0}
"""Where nobody names one: what a hand on the stage feels as at once, and 20 pictures a second."""


class Governor:
    """A frame segmenter for the pipeline, and a sink of its results. For any thread.

    Args:
        model: that the frames go to.
        log: hears of every move, with its reason.
        host: temperatures and power mode.
        wish: what to hold.

    Raises:
        UnknownNameError: the bundle has no such setting.
    """

    name = "governor"

    def __init__(self, model: LiveModel, log: EventLog, host: HostWatch, wish: SolverWish) -> None:
        self._model = model
        self._log = log
        self._host = host
        self._lock = threading.Lock()
        self._moves = self._stepped_up = 0
        self._wish = wish
        self._target_ms = wish.target_ms or USUAL_TARGET_MS[wish.target]
        self._begin(model.manifest, model.setting)
        self.wish(wish)
        model.on_change(self._on_change)

    def segment(self, pixels: npt.NDArray[np.uint8], *, red_cell_px: float) -> Segmentation:
        """See `LiveModel.segment`.

        A frame that reports an error that calibration never saw runs again on the next better setting.
        """
        with self._lock:
            setting, rungs, second = self._steering.setting, self._rungs, self._second
        found = self._model.segment(pixels, red_cell_px=red_cell_px, setting=setting)
        with self._lock:
            rungs.note(found)
            outside = second.outside(found, time.monotonic())
            better = rungs.next_better(setting) if outside and self._wish.mode == "automatic" else None
            if better is None or self._steering.over or not second.may_run():
                return found
        again = self._model.segment(pixels, red_cell_px=red_cell_px, setting=better)
        with self._lock:
            rungs.note(again)
            self._stepped_up += 1
            second.ran(setting, better, time.monotonic())
        return joined(found, again)

    def measure_red_cell_px(self, pixels: npt.NDArray[np.uint8]) -> float:
        """See `LiveModel.measure_red_cell_px`."""
        return self._model.measure_red_cell_px(pixels)

    def give_up(self, thread: int) -> bool:
        """See `LiveModel.give_up`."""
        return self._model.give_up(thread)

    def accept(self, result: Result) -> None:
        """As a sink of the pipeline: what the frame took, and what to do about it."""
        now_s = time.monotonic()
        with self._lock:
            moves = self._pursue(now_s) if self._wish.mode == "fixed" else self._steer(result, now_s)
            self._note(moves)
        self._tell(moves)

    def wish(self, wish: SolverWish) -> None:
        """Hold another setting or target.

        Raises:
            UnknownNameError: the bundle has no such setting.
        """
        with self._lock:
            if wish.mode == "fixed" and wish.setting not in self._rungs.names:
                names = ", ".join(self._rungs.names)
                raise UnknownNameError(f"This model has no solver setting {wish.setting!r}; choose one of: {names}.")
            if wish.target_ms is not None:
                self._target_ms = wish.target_ms
            elif wish.target != self._wish.target:
                self._target_ms = USUAL_TARGET_MS[wish.target]
            if wish.target != self._wish.target:
                self._steering.forget()
            self._wish = wish
            self._steering.aim(self._target_ms)
            moves = self._pursue(time.monotonic())
            self._note(moves)
        if wish.mode == "automatic":
            of = "latency" if wish.target == "latency" else "time from result to result"
            message = f"The solver setting is chosen for a {of} of {self._target_ms:g} ms."
            self._log.add("governor", message, target=wish.target, target_ms=self._target_ms)
        self._tell(moves)

    def status(self) -> SolverStatus:
        """What it does, and why."""
        now_s = time.monotonic()
        with self._lock:
            automatic, steering = self._wish.mode == "automatic", self._steering
            return SolverStatus(
                mode=self._wish.mode,
                target=self._wish.target,
                target_ms=self._target_ms,
                setting=steering.setting,
                reason=self._reason,
                limited_by=self._limits.cause(steering.limited_by(now_s), now_s) if automatic else None,
                moves=self._moves,
                stepped_up=self._stepped_up,
                rungs=self._rungs.statuses(steering.setting, now_s),
                error=self._second.error,
                memory_bytes=self._model.memory_bytes,
            )

    def _begin(self, manifest: Manifest, start: str) -> None:
        self._rungs = rungs = Rungs(manifest.settings, self._model.ready)
        self._limits = MachineLimit(rungs.names, self._host.status())
        self._second = SecondRuns(manifest.settings, self._log)
        self._steering = Steering(rungs.names, rungs.costs, self._target_ms, start, self._model.ready, self._model.want)
        self._reason = f"{start} is the one to begin with."

    def _on_change(self, manifest: Manifest) -> None:
        with self._lock:
            self._begin(manifest, manifest.default_setting)
            lost = self._wish.mode == "fixed" and self._wish.setting not in self._rungs.names
            if lost:
                self._wish = SolverWish("automatic", target=self._wish.target)
        if lost:
            self._log.add("governor", f"{manifest.name} lacks the setting that was asked for: it is chosen by itself.")

    def _steer(self, result: Result, now_s: float) -> list[Move]:
        steering, used = self._steering, result.segmentation.model
        moves = self._limits.look(steering, self._host, now_s)
        was_unfit = steering.unfit
        if used is not None and used.setting == steering.setting:
            moves.append(steering.note(_taken(result, used.setting, self._wish, now_s)))
        if steering.unfit != was_unfit:
            moves.append(steering.tell_unfit())
        return [move for move in moves if move is not None]

    def _pursue(self, now_s: float) -> list[Move]:
        """Go to a fixed setting once its engine is there: until then the one before gives results."""
        wanted, steering = self._wish.setting, self._steering
        if self._wish.mode != "fixed" or wanted is None or wanted == steering.setting:
            return []
        if self._model.ready(steering.setting) and not self._model.ready(wanted):
            self._model.want(wanted)
            self._reason = f"{wanted} was asked for, and its engine is being opened."
            return []
        return [steering.go(wanted, "wish", "It was asked for", now_s)]

    def _note(self, moves: list[Move]) -> None:
        for move in moves:
            self._reason = move.reason
            self._moves += move.before != move.after

    def _tell(self, moves: list[Move]) -> None:
        for move in moves:
            self._log.add("governor", move.reason, cause=move.cause, **move.figures)


def _taken(result: Result, setting: str, wish: SolverWish, now_s: float) -> Taken:
    """As the target counts: a frame's whole latency, or its share of the time from result to result."""
    engine_ms, begun_s = result.segmentation.timings_ms.get("engine", 0.0), result.frame.captured_ns / 1e9
    if wish.target == "latency":
        return Taken(now_s, setting, result.latency_ms, engine_ms, begun_s)
    spent_ms = result.latency_ms - result.stages_ms.get("wait", 0.0)
    return Taken(now_s, setting, spent_ms / result.in_work, engine_ms / result.in_work, begun_s)
