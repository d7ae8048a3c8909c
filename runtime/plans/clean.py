"""Deletes plans: those that do not fit the machine, those named, or all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hemonode.runtime.plans.cache import Entry, PlanCache
from hemonode.runtime.plans.lock import held_if_free
from hemonode.runtime.plans.machine import Machine


@dataclass(frozen=True)
class Cleaned:
    """What came of cleaning.

    Attributes:
        deleted: (name, bytes freed) of each plan that is gone.
        locked: names of those that a process is building or deleting right now; they are still there.
        swept_bytes: of what killed builds had left, and of timing caches and logs.
    """

    deleted: tuple[tuple[str, int], ...]
    locked: tuple[str, ...]
    swept_bytes: int

    @property
    def freed_bytes(self) -> int:
        """All together."""
        return self.swept_bytes + sum(freed for _, freed in self.deleted)


def clean(cache: PlanCache, names: Iterable[str], *, helpers: bool = False) -> Cleaned:
    """Delete plans by name, and what killed builds left.

    A program that runs one of them goes on: it holds the plan in its memory.

    Args:
        cache: that they are in.
        names: of the plans.
        helpers: timing caches and the logs of failed builds, too.

    Raises:
        EngineError: the cache cannot be written.
    """
    deleted: list[tuple[str, int]] = []
    locked: list[str] = []
    if not cache.folder.exists():
        return Cleaned((), (), 0)
    with cache.writing():
        for name in names:
            with held_if_free(cache.lock_of(name)) as mine:
                if mine:
                    deleted.append((name, cache.remove(name)))
                else:
                    locked.append(name)
        swept = cache.sweep() + (cache.remove_helpers() if helpers else 0)
        return Cleaned(tuple(deleted), tuple(locked), swept)


def why_stale(entry: Entry, machine: Machine | None) -> str | None:
    """Why an entry is of no use on this machine; None: it may be of use, or a newer hemonode must judge.

    Args:
        entry: of the cache.
        machine: this one; None where its GPU or TensorRT cannot be asked, so that no plan is judged by them.
    """
    if entry.newer:
        return None
    if entry.fault is not None or entry.plan is None:
        return entry.fault
    return entry.plan.record.key.misfit(machine) if machine is not None else None
