"""`hemonode engines clean`: which plans go, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable

from rich.console import Console

from hemonode.errors import EngineError
from hemonode.runtime.plans.cache import PlanCache
from hemonode.runtime.plans.clean import Cleaned, clean, why_stale
from hemonode.runtime.plans.machine import Machine, this_machine
from hemonode.runtime.plans.words import size_text


def clean_engines(
    names: tuple[str, ...] = (),
    *,
    everything: bool = False,
    as_json: bool = False,
    look: Callable[[], Machine] = this_machine,
    cache: PlanCache | None = None,
) -> None:
    """Delete plans and print which.

    Args:
        names: of plans; none: those that are damaged or do not fit this machine.
        everything: all plans, and what speeds up their building.
        as_json: for programs.
        look: tells the machine.
        cache: None is the user's.

    Raises:
        EngineError: no plan of such a name, one that is being built, or the cache cannot be written.
    """
    cache = cache or PlanCache()
    there = {entry.name: entry for entry in cache.entries()}
    if unknown := [name for name in names if name not in there]:
        raise EngineError(f"there is no built engine {unknown[0]!r}; hemonode engines list shows the names.")
    remark = ""
    if everything:
        doomed = list(there)
    elif names:
        doomed = list(dict.fromkeys(names))
    else:
        machine, remark = _look(look)
        doomed = [name for name, entry in there.items() if why_stale(entry, machine) is not None]
    done = clean(cache, doomed, helpers=everything)
    _show(done, remark, len(there), as_json)
    if names and done.locked:
        raise EngineError(f"{done.locked[0]} is being built right now and was left; try again when that has ended.")


def _look(look: Callable[[], Machine]) -> tuple[Machine | None, str]:
    try:
        return look(), ""
    except EngineError as error:
        return None, f"Only damaged engines could be told from good ones: {error}"


def _show(done: Cleaned, remark: str, before: int, as_json: bool) -> None:
    if as_json:
        deleted = [{"name": name, "freed_bytes": freed} for name, freed in done.deleted]
        answer = {"deleted": deleted, "locked": list(done.locked), "freed_bytes": done.freed_bytes}
        print(json.dumps(answer, indent=1))
        return
    show = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    for name, freed in done.deleted:
        show.print(f"deleted {name} ({size_text(freed)})")
    for name in done.locked:
        show.print(f"left {name}: it is being built right now")
    if remark and before > len(done.deleted):
        show.print(remark)
    show.print(f"{len(done.deleted)} of {before} engines deleted, {size_text(done.freed_bytes)} freed")
