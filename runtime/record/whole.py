"""What a whole session comes to: what computed it, how it grew, what was kept and warned of."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict

from hemonode.runtime.live.status import TrendPoint
from hemonode.runtime.record.queries import MODEL_COLUMNS
from hemonode.runtime.record.told import RecordedModel


def read_models(connection: sqlite3.Connection, key: int) -> tuple[RecordedModel, ...]:
    """What computed the fields, the most frequent first."""
    rows = connection.execute(
        f"SELECT {MODEL_COLUMNS}, sum(stands_for) FROM fields JOIN models m ON m.key = model WHERE session = ?"
        " GROUP BY m.key ORDER BY 7 DESC",
        (key,),
    )
    return tuple(RecordedModel(*row) for row in rows)


def read_trend(connection: sqlite3.Connection, key: int, kind: str) -> list[TrendPoint]:
    """The count after each field of one kind: cells so far by class id, over the area so far."""
    counted: dict[int, dict[int, int]] = defaultdict(dict)
    for number, class_id, count in connection.execute(
        "SELECT number, class, counted FROM counts WHERE session = ? ORDER BY number", (key,)
    ):
        counted[number][class_id] = count
    so_far: dict[int, int] = defaultdict(int)
    area, points = 0.0, []
    for number, added in connection.execute(
        "SELECT number, area FROM fields WHERE session = ? AND kind = ? ORDER BY number", (key, kind)
    ):
        area += added
        for class_id, count in counted[number].items():
            so_far[class_id] += count
        points.append(TrendPoint(area, dict(so_far)))
    return points


def read_pictured(connection: sqlite3.Connection, key: int) -> list[int]:
    """Numbers of the fields whose pictures were kept."""
    rows = connection.execute(
        "SELECT number FROM fields WHERE session = ? AND picture_bytes IS NOT NULL ORDER BY number", (key,)
    )
    return [number for (number,) in rows]


def read_warnings(connection: sqlite3.Connection, key: int) -> dict[str, int]:
    """How many fields each warning was given to."""
    found: dict[str, int] = defaultdict(int)
    for (warnings,) in connection.execute("SELECT warnings FROM fields WHERE session = ? AND warnings <> '[]'", (key,)):
        for warning in json.loads(warnings):
            found[warning] += 1
    return dict(found)
