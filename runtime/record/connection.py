"""The writer's connection: opened when it is needed, and again when what it is open on has failed or is gone."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from hemonode.runtime.live.events import EventLog
from hemonode.runtime.record.database import is_damage, open_for_writing, set_aside
from hemonode.runtime.record.places import Places
from hemonode.runtime.record.rescue import take_over
from hemonode.runtime.record.sweep import sweep


class WritingConnection:
    """For one thread at a time.

    Args:
        places: of the store.
        log: is told where a damaged store was set aside, or one is begun anew.
    """

    def __init__(self, places: Places, log: EventLog) -> None:
        self._places = places
        self._log = log
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def get(self) -> sqlite3.Connection:
        """The connection.

        Raises:
            OutputError: no store of ours, or a newer hemonode's.
            sqlite3.Error, OSError: it cannot be had now.
        """
        if self._connection is not None and self._file != self._identity():
            # SQLite would go on writing into a file that has no name any more.
            self._log.add("recorder", f"{self._places.database} was removed while it was written; it is begun anew.")
            self.close()
        if self._connection is None:
            connection = open_for_writing(self._places)
            self._connection, self._file = connection, self._identity()
            self._take_over(connection)
            self._sweep(connection)
        return self._connection

    def failed(self, error: Exception) -> None:
        """Something went wrong with it; a damaged store is set aside, so that the next try begins a new one."""
        self.close()
        if not is_damage(error):
            return
        with suppress(OSError):  # the next try fails, and tells
            aside = set_aside(self._places)
            self._log.add(
                "recorder",
                f"The record of sessions was damaged ({error}); it is kept as {aside.name}, and a new one is begun.",
            )

    def close(self) -> None:
        """Close it; again does nothing."""
        if self._connection is not None:
            with suppress(sqlite3.Error):  # on a disk that fails even this may
                self._connection.close()
        self._connection = None

    def _take_over(self, connection: sqlite3.Connection) -> None:
        try:
            taken = take_over(connection, self._places)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            # This store is whole: it is not to be set aside for the other.
            self._log.add("recorder", f"{self._places.unwritten} cannot be taken over ({error}); it is kept.")
            return
        if taken:
            self._log.add("recorder", f"{taken} fields that could not be written before are recorded now.")

    def _sweep(self, connection: sqlite3.Connection) -> None:
        with suppress(OSError):  # what is left costs room, no more
            swept = sweep(connection, self._places)
            if swept:
                self._log.add("recorder", f"{swept} files of half-written pictures were cleared away.", files=swept)

    def _identity(self) -> tuple[int, int] | None:
        try:
            told = self._places.database.stat()
        except FileNotFoundError:
            return None
        return told.st_dev, told.st_ino
