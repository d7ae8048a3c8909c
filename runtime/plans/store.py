"""Plans on demand: one from the cache that fits, or a new one, built once however many ask for it."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from hemonode import __version__
from hemonode.errors import EngineError
from hemonode.runtime.bundle.files import hash_file
from hemonode.runtime.plans.builder import BUILD_PROCESS, run_build
from hemonode.runtime.plans.cache import PlanCache
from hemonode.runtime.plans.files import check_room, sync
from hemonode.runtime.plans.lock import held
from hemonode.runtime.plans.messages import BuiltFacts, Progress
from hemonode.runtime.plans.order import PlanOrder
from hemonode.runtime.plans.record import RECORD_NAME, PlanRecord
from hemonode.runtime.plans.request import BuildRequest
from hemonode.runtime.plans.stored import LOG_NAME, PLAN_NAME, DamagedPlan, StoredPlan

# A plan is about as large as its weights, TensorRT may keep some twice; timing cache and log come to it.
_PLAN_PER_MODEL = 3
_BESIDE_PLAN_BYTES = 64 << 20


def _nobody(_: object) -> None:
    """For who does not listen."""


@dataclass(frozen=True)
class Listener:
    """Who hears of a build while it goes on, in the thread that builds.

    Attributes:
        progress: called with every step.
        remark: called with sentences: why something is rebuilt, that another process is at work.
    """

    progress: Callable[[Progress], None] = _nobody
    remark: Callable[[str], None] = _nobody


@dataclass(frozen=True)
class Absent:
    """No plan fits. `reason` says why one that was built once does not any more; None: none was built."""

    reason: str | None = None


class PlanStore:
    """The plans of one cache folder. For any number of threads and processes at once.

    Args:
        folder: see `PlanCache`.
        command: what builds a plan.
    """

    def __init__(self, folder: Path | None = None, *, command: Sequence[str] = BUILD_PROCESS) -> None:
        self.cache = PlanCache(folder)
        self._command = command

    def find(self, order: PlanOrder) -> StoredPlan | Absent:
        """The best plan for an order, by the records and a quick look; `StoredPlan.read` then checks every byte.

        A plan fits whatever options it was built with, and with a profile that covers the shapes. One of just the
        shapes goes first, then the one that was built last.
        """
        fitting = self._fitting(order)
        return fitting[0] if fitting else Absent(self._why_not(order))

    def intact(self, order: PlanOrder) -> StoredPlan | Absent:
        """The plan with just the order's shapes and options, every byte of it checked."""
        for entry in self.cache.entries():
            if entry.plan is not None and entry.plan.record.key == order.key:
                try:
                    entry.plan.read()
                except DamagedPlan as error:
                    return Absent(str(error))
                return entry.plan
        return Absent(self._why_not(order))

    def obtain(
        self,
        order: PlanOrder,
        *,
        may_build: bool,
        listener: Listener = Listener(),
        stop: threading.Event | None = None,
    ) -> tuple[StoredPlan, bytes]:
        """A plan that fits, and its bytes, checked: these may be deserialised.

        Raises:
            EngineError: there is none and `may_build` is not set, or the build failed; the sentence says what to do.
            InterruptedByUser: `stop` was set during the build.
        """
        damage = None
        for plan in self._fitting(order):
            try:
                return plan, plan.read()
            except DamagedPlan as error:
                damage = str(error)
        if not may_build:
            reason = damage or self._why_not(order)
            why = f"the engine built for {order} is of no use ({reason})" if reason else f"none is built for {order}"
            raise EngineError(f"{why}; run: {order.command}")
        built = self.build(order, listener=listener, stop=stop)
        return built, built.read()

    def build(
        self,
        order: PlanOrder,
        *,
        listener: Listener = Listener(),
        stop: threading.Event | None = None,
        rebuild: bool = False,
        verbose: bool = False,
    ) -> StoredPlan:
        """Build a plan with just the order's shapes and options, unless there is one.

        If another process is building it, its plan is waited for and taken.

        Args:
            order: what to build.
            listener: hears of it meanwhile.
            stop: cancels the build when it is set; Ctrl-C does, too, in the main thread.
            rebuild: even if there is one.
            verbose: TensorRT's full log beside the plan.

        Raises:
            EngineError: it failed; the cache is as it was.
            InterruptedByUser: `stop` was set.
        """
        name, cache = order.key.name, self.cache
        to_replace = self.intact(order) if rebuild else None

        def wait() -> None:
            listener.remark(f"Another process is building {order}; waiting for it.")

        with contextlib.ExitStack() as stack:
            with cache.writing():
                stack.enter_context(held(cache.lock_of(name), waiting=wait, stop=stop))
                cache.sweep(holding=name)
            # Another process may have built it while this one waited.
            there = self.intact(order)
            if isinstance(there, StoredPlan) and there != to_replace:
                return there
            if isinstance(there, Absent) and there.reason:
                listener.remark(f"Building {order} again: {there.reason}.")
            check_room(cache.folder, _PLAN_PER_MODEL * order.model_bytes + _BESIDE_PLAN_BYTES)
            with cache.writing():
                scratch = cache.scratch(name)
                stack.callback(shutil.rmtree, scratch, ignore_errors=True)
                facts = self._run(order, scratch, listener, stop, verbose)
                return self._keep(order, scratch, facts)

    def _run(
        self, order: PlanOrder, scratch: Path, listener: Listener, stop: threading.Event | None, verbose: bool
    ) -> BuiltFacts:
        key, log = order.key, self.cache.log_of(order.key.name)
        request = BuildRequest(
            graph=order.graph,
            precision=order.precision,
            shape_min=key.shapes.least,
            shape_opt=key.shapes.best,
            shape_max=key.shapes.most,
            workspace_bytes=key.options.workspace_bytes,
            optimisation_level=key.options.optimisation_level,
            timing_cache=self.cache.timing_of(key.machine),
            plan=scratch / PLAN_NAME,
            verbose=verbose,
        )
        try:
            facts = run_build(request, log, watch=listener.progress, stop=stop, command=self._command)
        except EngineError as error:
            raise EngineError(f"{str(error).rstrip('.')} (the whole log: {log})") from error
        except BaseException:
            # Cancelled: nobody asks what it said until then.
            log.unlink(missing_ok=True)
            raise
        log.rename(scratch / LOG_NAME)
        return facts

    def _keep(self, order: PlanOrder, scratch: Path, facts: BuiltFacts) -> StoredPlan:
        """Seal a plan with its record and put it in place."""
        path = scratch / PLAN_NAME
        record = PlanRecord(
            key=order.key,
            bundle=order.bundle.manifest.name,
            setting=order.setting,
            plan_sha256=hash_file(path),
            facts=facts,
            built_at=datetime.now(timezone.utc),
            hemonode_version=__version__,
        )
        if fault := StoredPlan(scratch, record).damage():
            raise EngineError(f"the build process said that it was done, but {fault}; install hemonode again.")
        (scratch / RECORD_NAME).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
        for written in (path, scratch / RECORD_NAME, scratch):
            sync(written)
        folder = self.cache.put(scratch, order.key.name)
        sync(folder.parent)
        return StoredPlan(folder, record)

    def _fitting(self, order: PlanOrder) -> list[StoredPlan]:
        plans = [
            entry.plan
            for entry in self.cache.entries()
            if entry.plan is not None and entry.fault is None and entry.plan.record.key.serves(order.key)
        ]
        return sorted(
            plans, key=lambda plan: (plan.record.key.shapes == order.key.shapes, plan.record.built_at), reverse=True
        )

    def _why_not(self, order: PlanOrder) -> str | None:
        """Why plans that were built for the same do not serve any more; of several, the one built last."""
        reasons = []
        for entry in self.cache.entries():
            if entry.plan is None:
                if entry.name == order.key.name:
                    return entry.fault
                continue
            reason = _why_no_more(entry.plan.record, order) or entry.fault
            if reason and _was_for(entry.plan.record, order):
                reasons.append((entry.plan.record.built_at, reason))
        return max(reasons)[1] if reasons else None


def _was_for(record: PlanRecord, order: PlanOrder) -> bool:
    same_graph = record.key.onnx_sha256 == order.key.onnx_sha256
    same_name = (record.bundle, record.setting) == (order.bundle.manifest.name, order.setting)
    same_use = record.key.precision == order.key.precision and record.key.shapes.cover(order.key.shapes)
    return (same_graph or same_name) and same_use


def _why_no_more(record: PlanRecord, order: PlanOrder) -> str | None:
    if record.key.onnx_sha256 != order.key.onnx_sha256:
        return "the model's graph or weights have changed"
    return record.key.misfit(order.key.machine)
