"""What a session comes to: shares and cells per field with their intervals, and how they became so."""

from __future__ import annotations

from collections.abc import Sequence

from hemonode.runtime.live.status import ClassTally, TrendPoint
from hemonode.runtime.record.told import RecordedSession
from hemonode.runtime.tally.intervals import rate_interval, share_interval


def class_figures(session: RecordedSession) -> tuple[ClassTally, ...]:
    """Each countable class of a session: counted, share of all counted cells, cells per field of view."""
    return tuple(
        ClassTally(
            id=entry.id,
            name=entry.name,
            counted=session.counted[entry.id],
            per_field=rate_interval(session.counted[entry.id], session.area),
            share=share_interval(session.counted[entry.id], session.cells),
        )
        for entry in session.classes
        if entry.countable
    )


def thinned(points: Sequence[TrendPoint], most: int) -> list[TrendPoint]:
    """At most so many of the points, evenly spread, the last one among them."""
    if len(points) <= most:
        return list(points)
    return [points[round((index + 1) * len(points) / most) - 1] for index in range(most)]
