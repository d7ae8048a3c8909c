"""Builds plans while something else runs: one at a time, the cheapest first, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from types import TracebackType

from hemonode.errors import HemonodeError, InterruptedByUser
from hemonode.runtime.plans.messages import Progress
from hemonode.runtime.plans.order import PlanOrder
from hemonode.runtime.plans.store import Listener, PlanStore
from hemonode.runtime.plans.stored import StoredPlan


def _ignore(_order: PlanOrder, _progress: Progress) -> None:
    """For who does not watch."""


class BackgroundBuilds:
    """Starts at once; close it, or use it as a context manager. All callbacks come from its thread.

    Args:
        store: where the plans go.
        orders: what to build; what is there already is ready at once.
        ready: called with each plan that is there now.
        failed: called with each that cannot be built, and the sentence why. The others are still built.
        progress: called with every step of a build.
    """

    def __init__(
        self,
        store: PlanStore,
        orders: Iterable[PlanOrder],
        *,
        ready: Callable[[PlanOrder, StoredPlan], None],
        failed: Callable[[PlanOrder, str], None],
        progress: Callable[[PlanOrder, Progress], None] = _ignore,
    ) -> None:
        self._store = store
        self._orders = sorted(orders, key=lambda order: order.work)
        self._ready, self._failed, self._progress = ready, failed, progress
        self._stop = threading.Event()
        # A daemon: the kernel ends the build process with the thread, so an exit never waits for a build.
        self._thread = threading.Thread(target=self._work, name="plan builds", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cancel the build at work and leave out the others; nothing runs any more. Calling it again does nothing."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> BackgroundBuilds:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        for order in self._orders:
            if self._stop.is_set():
                return
            try:
                plan = self._build(order)
            except InterruptedByUser:
                return
            except HemonodeError as error:
                self._failed(order, str(error))
            else:
                self._ready(order, plan)

    def _build(self, order: PlanOrder) -> StoredPlan:
        listener = Listener(progress=lambda progress: self._progress(order, progress))
        plan, _ = self._store.obtain(order, may_build=True, listener=listener, stop=self._stop)
        return plan
