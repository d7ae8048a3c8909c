"""The tables of a store, and how a store of an earlier hemonode becomes one of this."""

from __future__ import annotations

import sqlite3

from hemonode.errors import OutputError

APPLICATION_ID = 0x68656D6F
"""The letters "hemo" in SQLite's header: tells a store from any other database."""

_FIRST = """
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT,  -- rises with time, whatever the wall clock does
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    started TEXT NOT NULL,                  -- UTC, ISO 8601
    ended TEXT,                             -- NULL: never finished
    seconds REAL NOT NULL DEFAULT 0,        -- recorded so far, by the steady clock
    bundle TEXT NOT NULL,
    bundle_sha256 TEXT NOT NULL,
    hemonode TEXT NOT NULL,
    um_per_px REAL,
    red_cell_px REAL
);
CREATE TABLE classes (
    session INTEGER NOT NULL REFERENCES sessions(key) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    colour TEXT NOT NULL,                   -- #rrggbb
    countable INTEGER NOT NULL,
    PRIMARY KEY (session, id)
) WITHOUT ROWID;
CREATE TABLE settings (
    session INTEGER NOT NULL REFERENCES sessions(key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,                    -- JSON
    PRIMARY KEY (session, name)
) WITHOUT ROWID;
CREATE TABLE models (
    key INTEGER PRIMARY KEY,
    bundle TEXT NOT NULL,
    bundle_sha256 TEXT NOT NULL,
    setting TEXT NOT NULL,
    engine TEXT NOT NULL,
    version TEXT NOT NULL,
    precision TEXT NOT NULL,
    UNIQUE (bundle, bundle_sha256, setting, engine, version, precision)
);
CREATE TABLE fields (
    session INTEGER NOT NULL REFERENCES sessions(key) ON DELETE CASCADE,
    number INTEGER NOT NULL,                -- in its session, from 1
    kind TEXT NOT NULL,                     -- tallied, counted, snapshot
    taken TEXT NOT NULL,                    -- UTC, ISO 8601
    seconds REAL NOT NULL,                  -- since the session began, by the steady clock
    stands_for INTEGER NOT NULL,
    x_px REAL,
    y_px REAL,
    area REAL NOT NULL,                     -- fields of view
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    red_cell_px REAL NOT NULL,
    scale_source TEXT NOT NULL,
    um_per_px REAL,
    model INTEGER REFERENCES models(key),
    sequence INTEGER NOT NULL,              -- the camera's number of the frame
    latency_ms REAL NOT NULL,
    block_errors TEXT,                      -- JSON: reported solver error of each estimating block
    warnings TEXT NOT NULL,                 -- JSON
    note TEXT NOT NULL,
    picture_bytes INTEGER,                  -- picture and mask; NULL: not kept
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE INDEX fields_pictures ON fields(picture_bytes) WHERE picture_bytes IS NOT NULL;
CREATE TABLE counts (
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,
    class INTEGER NOT NULL,
    counted INTEGER NOT NULL,               -- that the field adds
    visible INTEGER NOT NULL,
    in_frame INTEGER NOT NULL,
    PRIMARY KEY (session, number, class),
    FOREIGN KEY (session, number) REFERENCES fields(session, number) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE cells (
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    class INTEGER NOT NULL,
    x REAL NOT NULL,                        -- centre and box, pixels of the picture
    y REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    score REAL NOT NULL,
    in_frame INTEGER NOT NULL,
    PRIMARY KEY (session, number, cell),
    FOREIGN KEY (session, number) REFERENCES fields(session, number) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE events (
    key INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions(key) ON DELETE CASCADE,
    at TEXT NOT NULL,
    seconds REAL NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    details TEXT NOT NULL                   -- JSON
);
CREATE INDEX events_session ON events(session);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""Script number n makes a store of version n one of n + 1. What was released is never changed, only added to."""


class NewerStore(OutputError):
    """A store that a newer hemonode has written."""


def migrate(connection: sqlite3.Connection, where: str) -> None:
    """Bring a store to the version of this hemonode; an empty database becomes a store.

    Raises:
        OutputError: see `check`.
        sqlite3.Error: it cannot be written.
    """
    while (version := check(connection, where)) < len(MIGRATIONS):
        # In one transaction with its number: a migration that is killed never happened. The script ends a
        # transaction that is open when it starts, so it has to begin its own.
        connection.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[version]} PRAGMA user_version = {version + 1};"
            f" PRAGMA application_id = {APPLICATION_ID}; COMMIT;"
        )


def check(connection: sqlite3.Connection, where: str) -> int:
    """The version of a store, 0 of an empty database.

    Raises:
        OutputError: it is no store of ours, or a newer hemonode's.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise OutputError(f"{where} is a database, but not one of hemonode's sessions; name another folder for them.")
    if version > len(MIGRATIONS):
        raise NewerStore(
            f"{where} was written by a newer hemonode (version {version} of the store, this one knows "
            f"{len(MIGRATIONS)}); update hemonode, or name another folder for the sessions."
        )
    return int(version)
