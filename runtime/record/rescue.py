"""What a store did not take until hemonode had to stop: kept in a store of its own, taken over at the next start."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from hemonode.runtime.record.database import open_for_writing
from hemonode.runtime.record.ledger import transaction, write_entry
from hemonode.runtime.record.places import Places
from hemonode.runtime.record.session import new_session_id
from hemonode.runtime.record.waiting import Entry

_MODEL = "bundle, bundle_sha256, setting, engine, version, precision"
_SESSION = "id, name, source, started, ended, seconds, bundle, bundle_sha256, hemonode, um_per_px, red_cell_px"
_FIELD = (
    "number, kind, taken, seconds, stands_for, x_px, y_px, area, width, height, red_cell_px, scale_source, um_per_px, "
    "{model}, sequence, latency_ms, block_errors, warnings, note, picture_bytes"
)
_KEY = "(SELECT key FROM main.sessions WHERE id = (SELECT id FROM apart.sessions WHERE key = t.session))"
_MODEL_KEY = f"(SELECT key FROM main.models WHERE ({_MODEL}) = (SELECT {_MODEL} FROM apart.models WHERE key = t.model))"
_TAKE_OVER = (
    # A session that is there already keeps what is known of it; its end, where it came late, is set below.
    f"INSERT OR IGNORE INTO main.sessions ({_SESSION}) SELECT {_SESSION} FROM apart.sessions ORDER BY key",
    f"INSERT OR IGNORE INTO main.classes SELECT {_KEY}, id, name, colour, countable FROM apart.classes t",
    f"INSERT OR IGNORE INTO main.settings SELECT {_KEY}, name, value FROM apart.settings t",
    f"INSERT OR IGNORE INTO main.models ({_MODEL}) SELECT {_MODEL} FROM apart.models",
    f"INSERT OR IGNORE INTO main.fields SELECT {_KEY}, {_FIELD.format(model=_MODEL_KEY)} FROM apart.fields t",
    f"INSERT OR IGNORE INTO main.counts SELECT {_KEY}, number, class, counted, visible, in_frame FROM apart.counts t",
    f"INSERT OR IGNORE INTO main.cells SELECT {_KEY}, number, cell, class, x, y, width, height, score, in_frame"
    " FROM apart.cells t",
    "INSERT INTO main.events (session, at, seconds, kind, message, details)"
    f" SELECT {_KEY}, at, seconds, kind, message, details FROM apart.events t ORDER BY key",
    "UPDATE main.sessions SET (ended, seconds) ="
    " (SELECT coalesce(main.sessions.ended, a.ended), max(main.sessions.seconds, a.seconds) FROM apart.sessions a"
    "  WHERE a.id = main.sessions.id) WHERE id IN (SELECT id FROM apart.sessions)",
)


def rescue(places: Places, entries: Iterable[Entry]) -> Places:
    """Write entries to a new store below the one that did not take them. Returns where.

    Raises:
        sqlite3.Error, OSError, OutputError: that could not be written either.
    """
    apart = Places(places.unwritten / new_session_id())
    with closing(open_for_writing(apart)) as connection, transaction(connection):
        for entry in entries:
            write_entry(connection, entry)
    return apart


def take_over(connection: sqlite3.Connection, places: Places) -> int:
    """Bring what was rescued where it belongs. Returns the fields.

    Raises:
        sqlite3.Error, OSError, OutputError: it stays where it is, for the next time.
    """
    taken = 0
    for folder in sorted(places.unwritten.iterdir()) if places.unwritten.is_dir() else ():
        apart = Places(folder).database
        if not apart.is_file():
            continue
        # Brought to this version first: a newer hemonode may be the one that takes over.
        open_for_writing(Places(folder)).close()
        connection.execute("ATTACH ? AS apart", (str(apart),))
        try:
            with transaction(connection):
                for statement in _TAKE_OVER:
                    connection.execute(statement)
                (fields,) = connection.execute("SELECT coalesce(sum(stands_for), 0) FROM apart.fields").fetchone()
        finally:
            connection.execute("DETACH apart")
        taken += fields
        shutil.rmtree(folder)
    return taken
