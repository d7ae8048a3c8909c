"""Reads what was recorded: sessions, their fields, events and pictures, and exports. For any thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from hemonode.runtime.record.told import PictureKind, RecordedEvent, RecordedField, RecordedSession

ExportFormat = Literal["csv", "cells", "summary", "parquet", "html"]


class SessionStore:
    """A store, also while a recorder writes it. Every call opens a connection of its own.

    Args:
        folder: of the store; None is the user's. An empty or missing one holds no sessions.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def sessions(self) -> tuple[RecordedSession, ...]:
        """All, newest first.

        Raises:
            OutputError: the store is damaged, newer than this hemonode, or cannot be read.
        """
        raise NotImplementedError

    def session(self, session: str) -> RecordedSession:
        """One of them.

        Raises:
            UnknownNameError: there is none with that id.
            OutputError: see `sessions`.
        """
        raise NotImplementedError

    def fields(self, session: str, after: int = 0, limit: int | None = None) -> tuple[RecordedField, ...]:
        """Its fields with an id above `after`, oldest first."""
        raise NotImplementedError

    def events(self, session: str) -> tuple[RecordedEvent, ...]:
        """What happened meanwhile, oldest first."""
        raise NotImplementedError

    def picture(self, session: str, field: int, kind: PictureKind = "picture") -> bytes:
        """A picture as PNG: as the camera gave it, its mask (class ids as grey values), or both with marks on the cells.

        Raises:
            UnknownNameError: there is no such field, or its picture was not kept.
            OutputError: the files cannot be read.
        """
        raise NotImplementedError

    def export(self, session: str, file_format: ExportFormat) -> tuple[Iterator[bytes], str, str]:
        """A session as one file: its bytes in pieces, media type and file name.

        "csv": a row for each field; "cells": a row for each cell; "summary": figures with intervals; "parquet": fields
        with their cells; "html": a report to read and print.

        Raises:
            UnknownNameError: there is no such session.
            OutputError: see `sessions`; or a package that the format needs is not installed.
        """
        raise NotImplementedError
