"""`hemonode build`: one plan after the other, with a bar, and at the end what came of each."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.plans.ask import BuildAsk
from hemonode.runtime.plans.machine import Machine, this_machine
from hemonode.runtime.plans.messages import Progress
from hemonode.runtime.plans.order import PlanOrder
from hemonode.runtime.plans.store import Listener, PlanStore
from hemonode.runtime.plans.stored import StoredPlan
from hemonode.runtime.plans.words import duration_text, layers_text, plan_json, size_text


class Outcome(NamedTuple):
    """A plan that is there now, and whether this call built it."""

    order: PlanOrder
    plan: StoredPlan
    built_now: bool


def run_builds(
    ask: BuildAsk,
    *,
    rebuild: bool = False,
    verbose: bool = False,
    as_json: bool = False,
    look: Callable[[], Machine] = this_machine,
    store: PlanStore | None = None,
) -> None:
    """Build what is asked for and print it.

    Args:
        ask: what to build.
        rebuild: also what is there already.
        verbose: TensorRT's full log beside each plan.
        as_json: for programs, on standard output.
        look: tells the machine.
        store: None is the user's.

    Raises:
        BundleError: the bundle is damaged, or lacks what is asked for.
        EngineError: this machine cannot build engines, or a build failed; those before it are kept.
    """
    bundle = open_bundle(ask.bundle)
    ask.check(bundle)
    machine = _look(look)
    store = store or PlanStore()
    say = Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)
    with _sigterm_like_ctrl_c():
        outcomes = [_build(order, store, say, rebuild, verbose) for order in ask.orders(bundle, machine)]
    if as_json:
        engines = [{**plan_json(outcome.plan), "built_now": outcome.built_now} for outcome in outcomes]
        print(json.dumps({"machine": machine.model_dump(), "engines": engines}, indent=1))
        return
    show = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    for outcome in outcomes:
        _conclude(outcome, show)


def _look(look: Callable[[], Machine]) -> Machine:
    try:
        return look()
    except EngineError as error:
        raise EngineError(
            f"no TensorRT engine can be built here: {str(error).rstrip('.')}; hemonode run and live take another one, "
            "see hemonode engines list."
        ) from error


def _build(order: PlanOrder, store: PlanStore, say: Console, rebuild: bool, verbose: bool) -> Outcome:
    if not rebuild and isinstance(there := store.intact(order), StoredPlan):
        return Outcome(order, there, built_now=False)
    with _shown(order, say) as listener:
        try:
            plan = store.build(order, listener=listener, rebuild=rebuild, verbose=verbose)
        except EngineError as error:
            raise EngineError(f"{order} was not built: {error}") from error
    return Outcome(order, plan, built_now=True)


@contextmanager
def _shown(order: PlanOrder, say: Console) -> Iterator[Listener]:
    """A bar with the time on a terminal; elsewhere one line for each phase."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, console=say, transient=True, disable=not say.is_terminal) as bar:
        task = bar.add_task(f"{order}: starting", total=None)
        phase = ""

        def advance(progress: Progress) -> None:
            nonlocal phase
            if progress.phase != phase:
                phase = progress.phase
                # The time left is that of this phase: the next may go at another pace.
                bar.reset(task, total=progress.steps or None, description=f"{order}: {phase}")
                if not say.is_terminal:
                    say.print(f"{order}: {phase}")
            bar.update(task, completed=progress.step)

        yield Listener(progress=advance, remark=say.print)


def _conclude(outcome: Outcome, show: Console) -> None:
    facts = outcome.plan.record.facts
    took = (
        f"built in {duration_text(facts.seconds)}" if outcome.built_now else "was built before (--rebuild builds anew)"
    )
    show.print(f"{outcome.order}: {took}, {size_text(facts.plan_bytes)}, layers: {layers_text(outcome.plan)}")
    for remark in facts.remarks:
        show.print(f"  {remark}")
    show.print(f"  {outcome.plan.path}")


@contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """A service manager or `kill` cancels like the user does, so that no half-built engine is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
