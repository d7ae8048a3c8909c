"""A session as one file: the formats, and what each is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hemonode.runtime.record.csv_tables import cell_table, field_table, summary_table
from hemonode.runtime.record.parquet import parquet_file
from hemonode.runtime.record.report import report_page
from hemonode.runtime.record.told import RecordedSession

if TYPE_CHECKING:
    from hemonode.runtime.record.store import SessionStore

ExportFormat = Literal["csv", "cells", "summary", "parquet", "html"]


@dataclass(frozen=True)
class Format:
    """One way to write a session: `write` gives the file in pieces."""

    write: Callable[[SessionStore, RecordedSession], Iterator[bytes]]
    media_type: str
    ending: str


FORMATS: dict[ExportFormat, Format] = {
    "csv": Format(field_table, "text/csv; charset=utf-8", ".csv"),
    "cells": Format(cell_table, "text/csv; charset=utf-8", "-cells.csv"),
    "summary": Format(summary_table, "text/csv; charset=utf-8", "-summary.csv"),
    "parquet": Format(parquet_file, "application/vnd.apache.parquet", ".parquet"),
    "html": Format(report_page, "text/html; charset=utf-8", ".html"),
}


def export_session(
    store: SessionStore, session: RecordedSession, file_format: ExportFormat
) -> tuple[Iterator[bytes], str, str]:
    """Pieces, media type and file name of a session in a format. See `SessionStore.export`."""
    chosen = FORMATS[file_format]
    return chosen.write(store, session), chosen.media_type, f"{_plain(session)}{chosen.ending}"


def _plain(session: RecordedSession) -> str:
    """The sample's name as far as any file system and header can hold it, and the session's id."""
    name = re.sub(r"[^0-9A-Za-z]+", "-", session.name).strip("-")[:60]
    return f"{name}-{session.id}" if name else session.id
