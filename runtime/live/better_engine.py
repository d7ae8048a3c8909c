"""A better engine for the camera's frames: built while an ordinary one works, and then put in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hemonode.errors import EngineError, HemonodeError
from hemonode.runtime.bundle.schema import Precision
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.result import Result
from hemonode.runtime.plans.background import BackgroundBuilds
from hemonode.runtime.plans.frames import Size, camera_frames
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.order import PlanOrder, order_plan, usual_precision
from hemonode.runtime.plans.store import PlanStore
from hemonode.runtime.plans.stored import StoredPlan
from hemonode.runtime.segment import Segmenter


class BetterEngine:
    """A sink of results: they tell the frame size, which only camera and measured scale together make known.

    Args:
        segmenter: whose engine is to be replaced.
        machine: that the plan is for.
        store: where plans are kept.
        faults: hears of a plan that cannot be built; the engine before stays.
        precision: of the plan; None is what suits the GPU.
        build: starts the builds; see `BackgroundBuilds`.
    """

    name = "better engine"

    def __init__(
        self,
        segmenter: Segmenter,
        machine: Machine,
        store: PlanStore,
        faults: FaultLog,
        precision: Precision | None = None,
        build: Callable[..., BackgroundBuilds] = BackgroundBuilds,
    ) -> None:
        self._segmenter = segmenter
        self._machine = machine
        self._store = store
        self._faults = faults
        self._precision = precision
        self._build = build
        self._frame: Size | None = None
        self._at_work = threading.Event()

    def accept(self, result: Result) -> None:
        """Have a plan built for the frames of this result, one after the other, unless that was begun or is in use."""
        found = result.segmentation
        height, width = result.frame.pixels.shape[:2]
        frame = camera_frames((height, width), found.red_cell_px, self._segmenter.bundle.manifest)
        if frame == self._frame or self._at_work.is_set():
            return
        self._frame = frame
        if self._segmenter.engine.name == "tensorrt":
            return
        self._at_work.set()
        # Nobody waits for it at the end: the build process ends with this one.
        self._build(self._store, [self._order(frame)], ready=self._take_over, failed=self._give_up)

    def _order(self, frame: Size) -> PlanOrder:
        bundle, setting = self._segmenter.bundle, self._segmenter.setting
        precision = self._precision or usual_precision(bundle, setting, self._machine.compute_capability)
        return order_plan(bundle, setting, precision, Shapes.fixed((1, *frame)), self._machine)

    def _take_over(self, order: PlanOrder, _plan: StoredPlan) -> None:
        _, height, width = order.key.shapes.best
        try:
            self._segmenter.renew((height, width))
        except HemonodeError as error:
            self._give_up(order, str(error))
        else:
            self._at_work.clear()

    def _give_up(self, order: PlanOrder, reason: str) -> None:
        self._faults.report(self.name, EngineError(f"{order}: {reason}"))
        self._at_work.clear()
