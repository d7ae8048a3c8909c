"""`hemonode engines list`: what can run models on this machine, and the plans built so far."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.engines import ENGINES, open_engine
from hemonode.runtime.plans.cache import Entry, PlanCache
from hemonode.runtime.plans.clean import why_stale
from hemonode.runtime.plans.files import size_of
from hemonode.runtime.plans.machine import Machine, this_machine
from hemonode.runtime.plans.stored import DamagedPlan
from hemonode.runtime.plans.words import age_text, plan_json, size_text

# Where nobody reads on a screen, lines need not be broken.
_WIDTH_IN_FILES = 240


@dataclass(frozen=True)
class EngineState:
    """Whether an engine works here: what it is, or why it does not."""

    name: str
    works: bool
    what: str


@dataclass(frozen=True)
class PlanState:
    """A plan in the cache; `fits` is None where this machine cannot be asked."""

    entry: Entry
    size_bytes: int
    fits: bool | None
    reason: str | None


def show_engines(
    *,
    verify: bool = False,
    as_json: bool = False,
    look: Callable[[], Machine] = this_machine,
    cache: PlanCache | None = None,
) -> None:
    """Print the engines of this machine and the built plans.

    Args:
        verify: read every plan whole, and check its hash.
        as_json: for programs.
        look: tells the machine.
        cache: None is the user's.

    Raises:
        EngineError: the cache cannot be read.
    """
    cache = cache or PlanCache()
    machine, why_not = _look(look)
    plans = [_plan_state(entry, machine, verify) for entry in cache.entries()]
    engines = [_engine_state(name, open_bundle(), machine, why_not) for name in ENGINES]
    if as_json:
        print(_json(engines, plans, machine, cache))
        return
    show = Console(markup=False, emoji=False, highlight=False)
    if not show.is_terminal:
        show = Console(markup=False, emoji=False, highlight=False, width=_WIDTH_IN_FILES)
    show.print(_engine_table(engines))
    if plans:
        show.print(_plan_table(plans, cache))
    else:
        show.print(f"No TensorRT engine has been built; they would go to {cache.folder}", soft_wrap=True)


def _look(look: Callable[[], Machine]) -> tuple[Machine | None, str]:
    try:
        return look(), ""
    except EngineError as error:
        return None, str(error)


def _engine_state(name: str, bundle: Bundle, machine: Machine | None, why_not: str) -> EngineState:
    if ENGINES[name].builds:
        # Opening it would take minutes.
        return EngineState(name, machine is not None, _on(machine) if machine else why_not)
    side = bundle.manifest.input.minimum
    try:
        with open_engine(bundle, (1, side, side), engine=name, precision="fp32") as engine:
            return EngineState(name, True, f"{engine.version} on {engine.device}")
    except EngineError as error:
        return EngineState(name, False, str(error))


def _on(machine: Machine) -> str:
    return f"TensorRT {machine.tensorrt} on {machine.gpu}"


def _plan_state(entry: Entry, machine: Machine | None, verify: bool) -> PlanState:
    size = size_of(entry.folder)
    reason = why_stale(entry, machine)
    if reason is None and entry.newer:
        return PlanState(entry, size, None, entry.fault)
    if reason is None and verify and entry.plan is not None:
        try:
            entry.plan.read()
        except DamagedPlan as error:
            reason = str(error)
    if reason is None and machine is None:
        return PlanState(entry, size, None, "this machine has no TensorRT or no GPU to compare with")
    return PlanState(entry, size, reason is None, reason)


def _engine_table(engines: list[EngineState]) -> Table:
    table = Table(title="Engines of this machine, best first", title_justify="left", box=box.SIMPLE)
    table.add_column("engine", no_wrap=True)
    table.add_column("works", no_wrap=True)
    table.add_column("what it is, or why not", overflow="fold")
    for engine in engines:
        table.add_row(engine.name, "yes" if engine.works else "no", engine.what)
    return table


def _plan_table(plans: list[PlanState], cache: PlanCache) -> Table:
    total = size_text(sum(plan.size_bytes for plan in plans))
    title = f"Built TensorRT engines, {total} in {cache.plans}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    table.add_column("name", no_wrap=True)
    table.add_column("for", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    table.add_column("fits this machine", overflow="fold")
    for plan in plans:
        stored = plan.entry.plan
        table.add_row(
            plan.entry.name,
            f"{stored.record.bundle} {stored.record.setting}" if stored else "?",
            size_text(plan.size_bytes),
            age_text(stored.record.built_at) if stored else "?",
            {True: "yes", False: f"no: {plan.reason}", None: f"unknown: {plan.reason}"}[plan.fits],
        )
    return table


def _json(engines: list[EngineState], plans: list[PlanState], machine: Machine | None, cache: PlanCache) -> str:
    return json.dumps(
        {
            "engines": [asdict(engine) for engine in engines],
            "machine": machine.model_dump() if machine else None,
            "folder": str(cache.folder),
            "plans": [
                {
                    **(plan_json(plan.entry.plan) if plan.entry.plan else {"name": plan.entry.name}),
                    "size_bytes": plan.size_bytes,
                    "fits": plan.fits,
                    "reason": plan.reason,
                }
                for plan in plans
            ],
        },
        indent=1,
    )
