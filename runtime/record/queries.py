"""What the tables say, as the values that are told of them."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from hemonode.runtime.live.status import ClassStatus
from hemonode.runtime.record.told import (
    RecordedEvent,
    RecordedField,
    RecordedModel,
    RecordedSession,
    SessionState,
    class_label,
)

CellRow = tuple[int, int, float, float, float, float, float, int]
"""Field, class, x, y, width, height, score, in frame: as they come from the table; a session may hold millions."""

_FIGURES = """
SELECT session, kind, count(*), sum(area), count(picture_bytes), coalesce(sum(picture_bytes), 0), max(number)
FROM fields {where} GROUP BY session, kind
"""
_COUNTED = """
SELECT f.session, f.kind, c.class, sum(c.counted) FROM fields f JOIN counts c USING (session, number) {where}
GROUP BY f.session, f.kind, c.class
"""
MODEL_COLUMNS = "m.bundle, m.bundle_sha256, m.setting, m.engine, m.version, m.precision"


def read_sessions(
    connection: sqlite3.Connection, held: Callable[[str], bool], session: str | None = None
) -> tuple[RecordedSession, ...]:
    """Sessions, newest first.

    Args:
        connection: to read with.
        held: whether somebody writes a session now, by its id.
        session: only this one.
    """
    where, values = ("", ()) if session is None else ("WHERE id = ?", (session,))
    rows = connection.execute(
        "SELECT key, id, name, source, started, ended, seconds, bundle, bundle_sha256, hemonode, um_per_px, red_cell_px"
        f" FROM sessions {where} ORDER BY key DESC",
        values,
    ).fetchall()
    only = rows[0][0] if session is not None and rows else None
    figures = _figures(connection, only)
    counted = _counted(connection, only)
    classes = _classes(connection)
    settings = _settings(connection)
    return tuple(
        _session(row, held, figures[row[0]], counted[row[0]], classes[row[0]], settings[row[0]]) for row in rows
    )


def key_of(connection: sqlite3.Connection, session: str) -> int | None:
    """A session's key; None: there is none with that id."""
    row = connection.execute("SELECT key FROM sessions WHERE id = ?", (session,)).fetchone()
    return None if row is None else int(row[0])


def read_fields(
    connection: sqlite3.Connection, key: int, *, after: int = 0, limit: int | None = None, only: int | None = None
) -> tuple[RecordedField, ...]:
    """Fields numbered above `after`, oldest first; or only one of them."""
    where, values = ("number > ?", after) if only is None else ("number = ?", only)
    rows = connection.execute(
        "SELECT number, kind, taken, seconds, stands_for, x_px, y_px, area, width, height, red_cell_px, scale_source,"
        f" um_per_px, warnings, note, picture_bytes, {MODEL_COLUMNS} FROM fields LEFT JOIN models m ON m.key = model"
        f" WHERE session = ? AND {where} ORDER BY number LIMIT ?",
        (key, values, -1 if limit is None else limit),
    ).fetchall()
    if not rows:
        return ()
    counts: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for number, *count in connection.execute(
        "SELECT number, class, counted, visible, in_frame FROM counts WHERE session = ? AND number BETWEEN ? AND ?",
        (key, rows[0][0], rows[-1][0]),
    ):
        counts[number].append((count[0], count[1], count[2], count[3]))
    return tuple(_field(row, counts[row[0]]) for row in rows)


def read_cells(connection: sqlite3.Connection, key: int, first: int, last: int) -> list[CellRow]:
    """Cells of the fields numbered `first` to `last`, in their order."""
    return connection.execute(
        "SELECT number, class, x, y, width, height, score, in_frame FROM cells"
        " WHERE session = ? AND number BETWEEN ? AND ? ORDER BY number, cell",
        (key, first, last),
    ).fetchall()


def read_events(connection: sqlite3.Connection, key: int) -> tuple[RecordedEvent, ...]:
    """Events, oldest first."""
    rows = connection.execute(
        "SELECT at, seconds, kind, message, details FROM events WHERE session = ? ORDER BY key", (key,)
    )
    return tuple(
        RecordedEvent(datetime.fromisoformat(at), seconds, kind, message, json.loads(details))
        for at, seconds, kind, message, details in rows
    )


def _figures(connection: sqlite3.Connection, key: int | None) -> dict[int, dict[str, Sequence[Any]]]:
    where, values = _where("session", key)
    found: dict[int, dict[str, Sequence[Any]]] = defaultdict(dict)
    for session, kind, *figures in connection.execute(_FIGURES.format(where=where), values):
        found[session][kind] = figures
    return found


def _counted(connection: sqlite3.Connection, key: int | None) -> dict[int, dict[str, dict[int, int]]]:
    where, values = _where("f.session", key)
    found: dict[int, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    for session, kind, class_id, counted in connection.execute(_COUNTED.format(where=where), values):
        found[session][kind][class_id] = counted
    return found


def _where(column: str, key: int | None) -> tuple[str, tuple[int, ...]]:
    return ("", ()) if key is None else (f"WHERE {column} = ?", (key,))


def _classes(connection: sqlite3.Connection) -> dict[int, list[ClassStatus]]:
    found: dict[int, list[ClassStatus]] = defaultdict(list)
    for session, class_id, name, colour, countable in connection.execute("SELECT * FROM classes"):
        found[session].append(
            ClassStatus(class_id, name, class_label(name, countable=bool(countable)), colour, bool(countable))
        )
    return found


def _settings(connection: sqlite3.Connection) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for session, name, value in connection.execute("SELECT * FROM settings"):
        found[session][name] = json.loads(value)
    return found


def _session(
    row: Sequence[Any],
    held: Callable[[str], bool],
    figures: dict[str, Sequence[Any]],
    counted: dict[str, dict[int, int]],
    classes: list[ClassStatus],
    settings: dict[str, Any],
) -> RecordedSession:
    _, session, name, source, started, ended, seconds, *rest = row
    begun = datetime.fromisoformat(started)
    kind = "tallied" if "tallied" in figures else "counted"
    totals = counted.get(kind, {})
    of_class = {entry.id: totals.get(entry.id, 0) for entry in classes if entry.countable}
    return RecordedSession(
        id=session,
        name=name,
        state=_state(ended, session, held),
        source=source,
        started=begun,
        ended=datetime.fromisoformat(ended) if ended else None,
        seconds=seconds,
        fields=sum(figure[0] for figure in figures.values()),
        area=figures[kind][1] if kind in figures else 0.0,
        pictures=sum(figure[2] for figure in figures.values()),
        picture_bytes=sum(figure[3] for figure in figures.values()),
        cells=sum(of_class.values()),
        counted=of_class,
        by_hand="tallied" not in figures and "counted" in figures,
        classes=tuple(classes),
        bundle=rest[0],
        bundle_sha256=rest[1],
        hemonode=rest[2],
        um_per_px=rest[3],
        red_cell_px=rest[4],
        settings=settings,
        last_field=max((figure[4] for figure in figures.values()), default=0),
    )


def _state(ended: str | None, session: str, held: Callable[[str], bool]) -> SessionState:
    if ended is not None:
        return "finished"
    return "recording" if held(session) else "interrupted"


def _model(row: Sequence[Any], fields: int) -> RecordedModel:
    bundle, bundle_sha256, setting, engine, version, precision = row
    return RecordedModel(bundle, bundle_sha256, setting, engine, version, precision, fields)


def _field(row: Sequence[Any], counts: list[tuple[int, int, int, int]]) -> RecordedField:
    number, kind, taken, seconds, stands_for, x_px, y_px, area, width, height, red_cell_px, scale_source = row[:12]
    um_per_px, warnings, note, picture_bytes = row[12:16]
    return RecordedField(
        id=number,
        kind=kind,
        at=datetime.fromisoformat(taken),
        seconds=seconds,
        stands_for=stands_for,
        counts={class_id: counted for class_id, counted, _, _ in counts},
        visible={class_id: visible for class_id, _, visible, _ in counts},
        in_frame={class_id: in_frame for class_id, _, _, in_frame in counts},
        position_px=None if x_px is None else (x_px, y_px),
        area=area,
        width=width,
        height=height,
        red_cell_px=red_cell_px,
        scale_source=scale_source,
        um_per_px=um_per_px,
        model=None if row[16] is None else _model(row[16:], stands_for),
        warnings=tuple(json.loads(warnings)),
        note=note,
        picture=picture_bytes is not None,
        picture_bytes=picture_bytes or 0,
    )
