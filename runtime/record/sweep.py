"""Clears away what a killed process left: half-written pictures, and those whose field was never recorded."""

from __future__ import annotations

import sqlite3

from hemonode.runtime.record.places import Places
from hemonode.runtime.record.session import is_held


def sweep(connection: sqlite3.Connection, places: Places) -> int:
    """Sweep every session that was never finished and that nobody writes. Returns the files that were deleted.

    Raises:
        sqlite3.Error, OSError: store or folder cannot be read.
    """
    unfinished = connection.execute("SELECT key, id FROM sessions WHERE ended IS NULL").fetchall()
    return sum(
        _sweep_session(connection, places, key, session)
        for key, session in unfinished
        if not is_held(places.locks, session)
    )


def _sweep_session(connection: sqlite3.Connection, places: Places, key: int, session: str) -> int:
    folder = places.pictures(session)
    if not folder.is_dir():
        return 0
    rows = connection.execute(
        "SELECT number FROM fields WHERE session = ? AND picture_bytes IS NOT NULL", (key,)
    ).fetchall()
    recorded = {path for (number,) in rows for path in (places.picture(session, number), places.mask(session, number))}
    # What is not ours by its name is left alone.
    ours = (*folder.glob(".*.partial"), *folder.glob("*.ome.tif"), *folder.glob("*.mask.png"))
    left = [path for path in ours if path not in recorded]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)
