"""Better engines for the camera's frames: built while ordinary ones work, and then put in their place."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hemonode.errors import EngineError, HemonodeError
from hemonode.runtime.bundle.schema import Precision
from hemonode.runtime.engines.shelf import Rung
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.plans.background import BackgroundBuilds
from hemonode.runtime.plans.builder import BUILD_PROCESS
from hemonode.runtime.plans.frames import Size
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.order import PlanOrder, order_plan, usual_precision
from hemonode.runtime.plans.store import PlanStore
from hemonode.runtime.plans.stored import StoredPlan
from hemonode.runtime.segment import Segmenter

NICED = ("nice", "-n", "10", *BUILD_PROCESS)
"""What builds a plan beside a live view: it gets what processor time the view leaves."""


class BetterEngine:
    """Has a plan built for each solver setting, cheapest first, and puts each into use as it is ready. For any thread.

    Args:
        segmenter: whose engines are to be replaced.
        machine: that the plans are for.
        store: where plans are kept.
        log: hears of each engine put in place.
        faults: hears of a plan that cannot be built; the engine before stays.
        precision: of the plans; None is what suits the GPU.
        build: starts the builds; see `BackgroundBuilds`.
    """

    name = "better engine"

    def __init__(
        self,
        segmenter: Segmenter,
        machine: Machine,
        store: PlanStore,
        log: EventLog,
        faults: FaultLog,
        precision: Precision | None = None,
        build: Callable[..., BackgroundBuilds] = BackgroundBuilds,
    ) -> None:
        self._segmenter = segmenter
        self._machine = machine
        self._store = store
        self._log = log
        self._faults = faults
        self._precision = precision
        self._build = build
        self._changing = threading.Lock()
        self._frame: Size | None = None
        self._waiting: set[str] = set()
        self._builds: BackgroundBuilds | None = None
        self._stopped = False

    def build_for(self, frame: Size) -> None:
        """Have plans built for frames of this height and width at the working scale, unless that was begun."""
        with self._changing:
            if frame == self._frame or self._stopped:
                return
            self._frame = frame
            if self._builds is None:
                self._begin(frame)

    def request_stop(self) -> None:
        """Build no more. Nobody waits for it: the build process ends with this one."""
        with self._changing:
            self._stopped = True

    def _begin(self, frame: Size) -> None:
        try:
            orders = [order for order in self._orders(frame) if not self._in_use(order)]
        except HemonodeError as error:
            self._faults.report(self.name, error)
            return
        self._waiting = {order.setting for order in orders}
        if orders:
            self._builds = self._build(self._store, orders, ready=self._take_over, failed=self._give_up)

    def _orders(self, frame: Size) -> list[PlanOrder]:
        bundle, shapes = self._segmenter.bundle, Shapes.fixed((1, *frame))
        return [
            order_plan(bundle, setting.name, precision, shapes, self._machine)
            for setting in bundle.manifest.settings
            for precision in [
                self._precision or usual_precision(bundle, setting.name, self._machine.compute_capability)
            ]
            if precision in setting.graphs
        ]

    def _in_use(self, order: PlanOrder) -> bool:
        engine = self._segmenter.engines.find(_rung(order))
        return engine is not None and engine.name == "tensorrt"

    def _take_over(self, order: PlanOrder, _plan: StoredPlan) -> None:
        try:
            if self._wanted(order):
                self._segmenter.engines.renew(_rung(order))
                self._log.add("engine", f"A TensorRT engine took over for {order.setting}.", setting=order.setting)
        except HemonodeError as error:
            self._report(order, str(error))
        self._end(order)

    def _give_up(self, order: PlanOrder, reason: str) -> None:
        self._report(order, reason)
        self._end(order)

    def _report(self, order: PlanOrder, reason: str) -> None:
        self._faults.report(self.name, EngineError(f"{order}: {reason}"))

    def _wanted(self, order: PlanOrder) -> bool:
        """Whether frames still have the size that the plan is for."""
        with self._changing:
            return not self._stopped and self._frame == order.key.shapes.best[1:]

    def _end(self, order: PlanOrder) -> None:
        """One order is done with; where frames have another size by now the others are left, and those begun."""
        with self._changing:
            self._waiting.discard(order.setting)
            changed = self._frame != order.key.shapes.best[1:]
            if not (changed or self._stopped or not self._waiting):
                return
            if self._builds is not None and self._waiting:
                self._builds.close()
            self._builds = None
            if changed and not self._stopped and self._frame is not None:
                self._begin(self._frame)


def _rung(order: PlanOrder) -> Rung:
    return Rung(order.setting, order.key.shapes.best)
