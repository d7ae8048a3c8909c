"""Reads what was recorded: sessions, their fields, events and pictures, and exports. For any thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hemonode.errors import OutputError, UnknownNameError
from hemonode.runtime.classes import countable_names
from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.live.status import TrendPoint
from hemonode.runtime.overlay import draw_overlay
from hemonode.runtime.record import queries, whole
from hemonode.runtime.record.database import reading
from hemonode.runtime.record.export import ExportFormat, export_session
from hemonode.runtime.record.facts import InterruptedSession
from hemonode.runtime.record.pictures import Pixels, encode_png, read_mask, read_picture
from hemonode.runtime.record.places import Places, sessions_folder
from hemonode.runtime.record.session import is_held
from hemonode.runtime.record.told import (
    PictureKind,
    RecordedEvent,
    RecordedField,
    RecordedModel,
    RecordedSession,
    class_records,
)
from hemonode.runtime.tally.field import FieldKind

__all__ = ["ExportFormat", "SessionStore"]


class SessionStore:
    """A store, also while a recorder writes it. Every call opens a connection of its own, and reads only.

    Args:
        folder: of the store; None is the user's. An empty or missing one holds no sessions.
        settle: called before each reading: lets a recorder write first what it was given before.
    """

    def __init__(self, folder: Path | None = None, settle: Callable[[], object] = lambda: None) -> None:
        self.places = Places(folder or sessions_folder())
        self._settle = settle

    def sessions(self) -> tuple[RecordedSession, ...]:
        """All, newest first.

        Raises:
            OutputError: the store is damaged, newer than this hemonode, or cannot be read.
        """
        return self._sessions(None)

    def session(self, session: str) -> RecordedSession:
        """One of them.

        Raises:
            UnknownNameError: there is none with that id.
            OutputError: see `sessions`.
        """
        found = self._sessions(session)
        if not found:
            raise _unknown(session)
        return found[0]

    def interrupted(self) -> InterruptedSession | None:
        """The latest session that nobody writes now, if it was never finished and holds anything."""
        latest = next((session for session in self.sessions() if session.state != "recording"), None)
        if latest is None or latest.state == "finished" or latest.fields == 0:
            return None
        tallied = not latest.by_hand
        return InterruptedSession(
            session=latest.id,
            name=latest.name,
            started=latest.started,
            counted=latest.counted if tallied else {},
            area=latest.area if tallied else 0.0,
            fields=latest.fields,
            classes=countable_names(latest.classes),
        )

    def fields(self, session: str, after: int = 0, limit: int | None = None) -> tuple[RecordedField, ...]:
        """Its fields with an id above `after`, oldest first. Raises as `session` does."""
        with self._reading(session) as (connection, key):
            return queries.read_fields(connection, key, after=after, limit=limit)

    def cells(self, session: str, first: int, last: int) -> list[queries.CellRow]:
        """Cells of the fields numbered `first` to `last`. Raises as `session` does."""
        with self._reading(session) as (connection, key):
            return queries.read_cells(connection, key, first, last)

    def models(self, session: str) -> tuple[RecordedModel, ...]:
        """What computed its fields, the most frequent first. Raises as `session` does."""
        with self._reading(session) as (connection, key):
            return whole.read_models(connection, key)

    def trend(self, session: str, kind: FieldKind) -> list[TrendPoint]:
        """The count after each of its fields of one kind. Raises as `session` does."""
        with self._reading(session) as (connection, key):
            return whole.read_trend(connection, key, kind)

    def pictured(self, session: str) -> list[int]:
        """Its fields whose pictures were kept. Raises as `session` does."""
        with self._reading(session) as (connection, key):
            return whole.read_pictured(connection, key)

    def warnings(self, session: str) -> dict[str, int]:
        """How many of its fields each warning was given to. Raises as `session` does."""
        with self._reading(session) as (connection, key):
            return whole.read_warnings(connection, key)

    def events(self, session: str) -> tuple[RecordedEvent, ...]:
        """What happened meanwhile, oldest first. Raises as `session` does."""
        with self._reading(session) as (connection, key):
            return queries.read_events(connection, key)

    def picture(self, session: str, field: int, kind: PictureKind = "picture") -> bytes:
        """A picture as PNG: as the camera gave it, its mask (class ids as greys), or both with marks on the cells.

        Raises:
            UnknownNameError: there is no such field, or its picture was not kept.
            OutputError: the files cannot be read.
        """
        if kind == "mask":
            return encode_png(self._pixels(session, field)[1])
        return encode_png(self.drawn(session, field) if kind == "overlay" else self._pixels(session, field)[0])

    def drawn(self, session: str, field: int) -> Pixels:
        """The overlay, uint8 [H, W, 3] BGR. Raises as `picture` does."""
        pixels, mask = self._pixels(session, field)
        rows = self.cells(session, field, field)
        cells = [Cell(*row[1:7], in_frame=bool(row[7])) for row in rows]
        return draw_overlay(pixels, mask, cells, class_records(self.session(session).classes))

    def export(self, session: str, file_format: ExportFormat) -> tuple[Iterator[bytes], str, str]:
        """A session as one file: its bytes in pieces, media type and file name.

        "csv": a row for each field; "cells": a row for each cell; "summary": figures with intervals; "parquet": fields
        with their cells; "html": a report to read and print.

        Raises:
            UnknownNameError: there is no such session.
            OutputError: see `sessions`; or a package that the format needs is not installed.
        """
        return export_session(self, self.session(session), file_format)

    def _sessions(self, session: str | None) -> tuple[RecordedSession, ...]:
        self._settle()
        with reading(self.places) as connection:
            if connection is None:
                return ()
            return queries.read_sessions(connection, partial(is_held, self.places.locks), session)

    @contextmanager
    def _reading(self, session: str) -> Iterator[tuple[sqlite3.Connection, int]]:
        self._settle()
        with reading(self.places) as connection:
            key = None if connection is None else queries.key_of(connection, session)
            if connection is None or key is None:
                raise _unknown(session)
            yield connection, key

    def _pixels(self, session: str, field: int) -> tuple[Pixels, Pixels]:
        with self._reading(session) as (connection, key):
            found = queries.read_fields(connection, key, only=field)
        if not found or not found[0].picture:
            what = "kept without its picture" if found else "not there"
            raise UnknownNameError(f"Field {field} of session {session} is {what}.")
        # The session is one of the store's from here on: no path is made of what a caller says.
        places = self.places
        try:
            return read_picture(places.picture(session, field)), read_mask(places.mask(session, field))
        except (OSError, ValueError) as error:
            raise OutputError(
                f"The picture of field {field} cannot be read ({error}); {places.pictures(session)} may have been "
                "changed or cleared."
            ) from error


def _unknown(session: str) -> UnknownNameError:
    return UnknownNameError(f"There is no session {session}; hemonode sessions list shows those there are.")
