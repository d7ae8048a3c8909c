"""Sizes, durations and plans as a person reads them."""

from __future__ import annotations

from datetime import datetime, timezone

from hemonode.runtime.plans.stored import StoredPlan

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def size_text(count: int) -> str:
    """Bytes as "14.4 MiB", "3 KiB" below one, and "1.5 GiB" from one on."""
    if count >= 1 << 30:
        return f"{count / (1 << 30):.1f} GiB"
    return f"{count / (1 << 20):.1f} MiB" if count >= 1 << 20 else f"{-(-count // 1024)} KiB"


def duration_text(seconds: float) -> str:
    """As "3 min 12 s", or "4.2 s" below ten."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def age_text(since: datetime) -> str:
    """As "3 days"; a clock that was set back since shows no negative age."""
    seconds = max(0.0, (datetime.now(timezone.utc) - since).total_seconds())
    for unit, word in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "just now"


def layers_text(plan: StoredPlan) -> str:
    """How many layers compute in which precision: "41 fp16, 12 fp32"."""
    return ", ".join(f"{count} {precision}" for precision, count in plan.record.facts.layers.items())


def plan_json(plan: StoredPlan) -> dict[str, object]:
    """A plan and its whole record, for programs."""
    return {"name": plan.name, "path": str(plan.path), "record": plan.record.model_dump(mode="json")}
