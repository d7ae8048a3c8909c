"""Connections to a store's database, and what to say where it cannot be had."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from hemonode.errors import OutputError
from hemonode.runtime.record.places import FOLDER_VARIABLE, Places
from hemonode.runtime.record.schema import check, migrate

_WRITER_WAITS_S = 0.5
"""For a lock of another program, at each try: a stop must not wait longer."""
_READER_WAITS_S = 5.0
_SIDE_FILES = ("-wal", "-shm", "-journal")


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that the file is damaged or no database; full and locked are errors of their own."""
    return type(error) is sqlite3.DatabaseError


def open_for_writing(places: Places) -> sqlite3.Connection:
    """The connection of the one writer; transactions are begun by hand.

    Raises:
        OutputError: no store of ours, or a newer hemonode's.
        sqlite3.Error, OSError: it cannot be written now.
    """
    places.folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        places.database, timeout=_WRITER_WAITS_S, isolation_level=None, check_same_thread=False
    )
    try:
        # Somebody else's database is left as it is.
        check(connection, str(places.database))
        # Before the first table: what is deleted gives its room back to the disk.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # Readers never wait for the writer, nor it for them. On a file system without shared memory SQLite stays
        # with its own journal, which is as safe.
        connection.execute("PRAGMA journal_mode = WAL")
        # Each field is on the disk when its transaction ends: a power cut, too, takes no more than the field in work.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, str(places.database))
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def reading(places: Places) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads, with one view of the store for the whole block. None: nothing was recorded yet.

    Raises:
        OutputError: the store is damaged, a newer hemonode's, or cannot be read.
    """
    where = places.database
    if places.folder.exists() and not places.folder.is_dir():
        raise OutputError(f"{places.folder} is a file: name the folder that sessions are recorded in.")
    try:
        if not where.is_file() or where.stat().st_size == 0:
            yield None
            return
        with closing(_connect_for_reading(where)) as connection:
            if check(connection, str(where)) == 0:
                yield None
                return
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        raise cannot_read(where, error) from error
    except OSError as error:
        raise OutputError(
            f"the recorded sessions at {where} cannot be read ({error.strerror}); check the rights on that folder, or "
            f"set {FOLDER_VARIABLE} to another one."
        ) from error


def cannot_read(where: Path, error: Exception) -> OutputError:
    """The error that says so."""
    if is_damage(error):
        return OutputError(
            f"{where} is damaged ({error}); restore it from a copy, or move it away: the pictures beside it are whole."
        )
    return OutputError(
        f"the recorded sessions at {where} cannot be read now ({error}); close other programs that use that file, and "
        "check the rights on its folder."
    )


def cannot_write(places: Places, error: Exception) -> OutputError:
    """The error that says that the store takes nothing now."""
    where, reason = places.database, str(error)
    if isinstance(error, OutputError):
        return error
    if "locked" in reason or "busy" in reason:
        return OutputError(f"{where} is locked by another program; close what has it open.")
    if "is full" in reason or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)):
        return OutputError(f"The disk is full at {places.folder}; make room, with hemonode sessions delete, say.")
    if is_damage(error):
        return cannot_read(where, error)
    if isinstance(error, OSError):
        reason = error.strerror or reason
    return OutputError(
        f"{where} cannot be written ({reason}); check the rights there, or set {FOLDER_VARIABLE} to another folder."
    )


def set_aside(places: Places) -> Path:
    """Move a damaged database out of the way, whole, for somebody to mend. Returns its new place.

    Raises:
        OSError: it cannot be moved.
    """
    moment = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    aside = places.folder / f"sessions.damaged-{moment}-{os.getpid()}.db"
    for suffix in _SIDE_FILES:
        with suppress(FileNotFoundError):
            Path(f"{places.database}{suffix}").rename(f"{aside}{suffix}")
    places.database.rename(aside)
    return aside


def _connect_for_reading(where: Path) -> sqlite3.Connection:
    address = where.absolute().as_uri() + "?mode=ro"
    # On a read-only disk SQLite cannot make the file by which readers and writers of a WAL meet; where no log is left
    # over, nothing is missing from the database itself.
    if not os.access(where.parent, os.W_OK) and not Path(f"{where}-wal").exists():
        address += "&immutable=1"
    return sqlite3.connect(address, uri=True, timeout=_READER_WAITS_S, isolation_level=None)
