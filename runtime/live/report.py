"""Gathers what all parts of a live view tell into one status."""

from __future__ import annotations

import time
from dataclasses import replace

from hemonode import __version__
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.live.condition import Results, condition
from hemonode.runtime.live.meters import Fault
from hemonode.runtime.live.parts import Parts
from hemonode.runtime.live.status import ClassStatus, Condition, FaultStatus, LiveStatus
from hemonode.runtime.record.told import class_label


def judge(parts: Parts) -> Condition:
    """How the view fares."""
    return condition(parts.capture.status(), parts.recorder.status(), _results(parts), parts.faults.recent())


def report(parts: Parts) -> LiveStatus:
    """Everything that is shown beside the picture."""
    now, source, pipeline = judge(parts), parts.capture.status(), parts.pipeline
    return LiveStatus(
        hemonode=__version__,
        state=now.state,
        label=now.label,
        message=now.message,
        uptime_s=round(time.monotonic() - parts.started_s, 1),
        source=source,
        model=replace(parts.model.status(), workers=pipeline.in_work),
        solver=parts.governor.status(),
        classes=tuple(_class(record) for record in parts.model.manifest.classes),
        results=pipeline.results,
        rate_hz=round(pipeline.rate_hz(), 2),
        stages={**pipeline.percentiles(), **parts.page.stages.percentiles(), **parts.hub.stages.percentiles()},
        drops={**pipeline.drops(), "missed": source.missed, "damaged": source.damaged},
        quality=parts.tally.quality(),
        counts=parts.tally.counts(),
        tally=parts.tally.status(),
        recorder=parts.recorder.status(),
        host=parts.host.status(),
        faults=tuple(_fault(fault) for fault in parts.faults.recent()),
        pages=parts.hub.clients,
        stale=now.stale,
    )


def _results(parts: Parts) -> Results:
    latest, pipeline = parts.page.shown(None), parts.pipeline
    latency = pipeline.percentiles().get("latency")
    return Results(
        count=pipeline.results,
        rate_hz=pipeline.rate_hz(),
        age_s=None if latest is None else (time.monotonic_ns() - latest.frame.captured_ns) / 1e9,
        usual_s=None if latency is None else latency.p99_ms / 1e3,
    )


def _class(record: ClassRecord) -> ClassStatus:
    blue, green, red = record.colour_bgr
    label = class_label(record.name, countable=record.countable)
    return ClassStatus(record.id, record.name, label, f"#{red:02x}{green:02x}{blue:02x}", record.countable)


def _fault(fault: Fault) -> FaultStatus:
    age_s = (time.monotonic_ns() - fault.at_ns) / 1e9
    return FaultStatus(fault.origin, fault.message, fault.count, round(age_s, 1))
