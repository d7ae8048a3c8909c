"""Writes sessions, fields and events: one transaction at a time, each of which may be tried again as it is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone

from hemonode.runtime.record.rows import EventRow, FieldRow
from hemonode.runtime.record.session import OpenSession
from hemonode.runtime.record.waiting import Entry
from hemonode.runtime.segmentation import ModelUsed

_FIELD_COLUMNS = 21


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block or nothing of it.

    Raises:
        sqlite3.Error: the disk is full, the store locked, …: nothing was written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself where the disk was full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def write_entry(connection: sqlite3.Connection, entry: Entry) -> None:
    """One thing that waited; within a transaction. Its session is begun where it is not in the store yet."""
    session = entry.session
    found = connection.execute("SELECT key FROM sessions WHERE id = ?", (session.id,)).fetchone()
    key = int(found[0]) if found else _insert_session(connection, session)
    if entry.row is not None:
        _write_field(connection, key, entry.row)
    if entry.event is not None:
        _write_event(connection, key, entry.event)
    if entry.ended is not None:
        connection.execute(
            "UPDATE sessions SET ended = ?, seconds = max(seconds, ?) WHERE key = ?",
            (_utc(entry.ended), entry.seconds, key),
        )


def _write_field(connection: sqlite3.Connection, key: int, row: FieldRow) -> None:
    """One field with its counts and cells; one that is there already is replaced."""
    connection.execute("DELETE FROM fields WHERE session = ? AND number = ?", (key, row.number))
    x_px, y_px = row.position_px or (None, None)
    values = (
        key,
        row.number,
        row.kind,
        _utc(row.taken),
        row.seconds,
        row.stands_for,
        x_px,
        y_px,
        row.area,
        row.width,
        row.height,
        row.red_cell_px,
        row.scale_source,
        row.um_per_px,
        None if row.model is None else _model_key(connection, row.model),
        row.sequence,
        row.latency_ms,
        None if row.block_errors is None else json.dumps(row.block_errors),
        json.dumps(row.warnings),
        row.note,
        row.picture_bytes,
    )
    connection.execute(f"INSERT INTO fields VALUES ({_marks(_FIELD_COLUMNS)})", values)
    connection.executemany(
        f"INSERT INTO counts VALUES ({_marks(6)})",
        (
            (key, row.number, class_id, count.counted, count.visible, count.in_frame)
            for class_id, count in row.counts.items()
        ),
    )
    connection.executemany(
        f"INSERT INTO cells VALUES ({_marks(10)})",
        ((key, row.number, index, *cell) for index, cell in enumerate(row.cells(), 1)),
    )
    connection.execute("UPDATE sessions SET seconds = max(seconds, ?) WHERE key = ?", (row.seconds, key))


def _write_event(connection: sqlite3.Connection, key: int, row: EventRow) -> None:
    """One event."""
    event = row.event
    details = json.dumps(dict(event.details), default=str)
    connection.execute(
        "INSERT INTO events (session, at, seconds, kind, message, details) VALUES (?, ?, ?, ?, ?, ?)",
        (key, _utc(event.at), row.seconds, event.kind, event.message, details),
    )


def picture_bytes(connection: sqlite3.Connection) -> int:
    """Of all pictures in the store."""
    (total,) = connection.execute(
        "SELECT coalesce(sum(picture_bytes), 0) FROM fields WHERE picture_bytes IS NOT NULL"
    ).fetchone()
    return int(total)


def _insert_session(connection: sqlite3.Connection, session: OpenSession) -> int:
    facts = session.facts
    key = connection.execute(
        "INSERT INTO sessions (id, name, source, started, bundle, bundle_sha256, hemonode, um_per_px, red_cell_px)"
        f" VALUES ({_marks(9)})",
        (
            session.id,
            facts.name,
            facts.source,
            _utc(session.started),
            facts.bundle,
            facts.bundle_sha256,
            facts.hemonode,
            facts.um_per_px,
            facts.red_cell_px,
        ),
    ).lastrowid
    assert key is not None
    connection.executemany(
        f"INSERT INTO classes VALUES ({_marks(5)})",
        ((key, entry.id, entry.name, _colour(entry.colour_bgr), entry.countable) for entry in facts.classes),
    )
    connection.executemany(
        f"INSERT INTO settings VALUES ({_marks(3)})",
        ((key, name, json.dumps(value, default=str)) for name, value in facts.settings.items()),
    )
    return key


def _model_key(connection: sqlite3.Connection, model: ModelUsed) -> int:
    values: Sequence[str] = (
        model.bundle,
        model.bundle_sha256,
        model.setting,
        model.engine,
        model.version,
        model.precision,
    )
    where = "bundle = ? AND bundle_sha256 = ? AND setting = ? AND engine = ? AND version = ? AND precision = ?"
    found = connection.execute(f"SELECT key FROM models WHERE {where}", values).fetchone()
    if found is not None:
        return int(found[0])
    columns = "bundle, bundle_sha256, setting, engine, version, precision"
    key = connection.execute(f"INSERT INTO models ({columns}) VALUES ({_marks(6)})", values).lastrowid
    assert key is not None
    return key


def _colour(bgr: tuple[int, int, int]) -> str:
    blue, green, red = bgr
    return f"#{red:02x}{green:02x}{blue:02x}"


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def _marks(count: int) -> str:
    return ", ".join("?" * count)
