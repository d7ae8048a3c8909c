"""Whether anything that was counted was lost: what the view told, against what its database holds."""

from __future__ import annotations

from typing import Any

from hemonode.benchmarks.chaos.faults import Store
from hemonode.runtime.record.store import SessionStore


def counted_now(status: dict[str, Any]) -> dict[int, int]:
    """What the running tally tells, by class id."""
    return {entry["id"]: entry["counted"] for entry in status["tally"]["classes"]}


def recorded(store: Store, session: str) -> dict[int, int]:
    """What the fields of a session add up to, by class id."""
    totals: dict[int, int] = {}
    for field in SessionStore(store.folder).fields(session):
        for class_id, count in field.counts.items():
            totals[class_id] = totals.get(class_id, 0) + count
    return totals


def shortfall(told: dict[int, int], kept: dict[int, int]) -> int:
    """Cells that were told and are not kept."""
    return sum(max(0, count - kept.get(class_id, 0)) for class_id, count in told.items())
