"""The commands `hemonode sessions …`; registered by `hemonode.runtime.commands`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer


class FormatChoice(str, Enum):
    """What a session is exported as."""

    csv = "csv"
    cells = "cells"
    summary = "summary"
    parquet = "parquet"
    html = "html"


_FOLDER = typer.Option(
    None, "--folder", help="Where sessions are recorded.", show_default="the user's, or HEMONODE_SESSIONS"
)
_JSON = typer.Option(False, "--json", help="Print it as JSON.")
_SESSION = typer.Argument(..., help="Its id, as sessions list shows it; the beginning is enough, or last.")


def register(app: typer.Typer) -> None:
    """Add `sessions` to the application."""
    sessions = typer.Typer(no_args_is_help=True, help="What hemonode live has recorded: list, show, export, delete.")
    sessions.command("list")(list_sessions)
    sessions.command("show")(show)
    sessions.command("export")(export)
    sessions.command("delete")(delete)
    app.add_typer(sessions, name="sessions")


def list_sessions(folder: Path = _FOLDER, as_json: bool = _JSON) -> None:
    """List the recorded sessions, newest first.

    Example: hemonode sessions list
    """
    from hemonode.runtime.record.listing import print_sessions

    print_sessions(folder, as_json=as_json)


def show(session: str = _SESSION, folder: Path = _FOLDER, as_json: bool = _JSON) -> None:
    """Show one session: cells with their intervals, what computed them, and where its pictures lie.

    Example: hemonode sessions show last
    """
    from hemonode.runtime.record.listing import print_session

    print_session(folder, session, as_json=as_json)


def export(
    session: str = _SESSION,
    file_format: list[FormatChoice] = typer.Option(
        ["csv"],
        "--format",
        help="csv: a row for each field; cells: for each cell; summary: for each class, with intervals; "
        "parquet: fields with their cells; html: a report to read and print. Repeatable.",
    ),
    out: Path = typer.Option(
        Path(), "--out", "-o", help="A file, a folder, or - for standard output.", show_default="this folder"
    ),
    folder: Path = _FOLDER,
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace files that are there."),
) -> None:
    """Write a session to a file.

    Example: hemonode sessions export last --format html -o report.html

    Example: hemonode sessions export last --format csv --format summary -o results/
    """
    from hemonode.runtime.record.exporting import export_files

    export_files(folder, session, [choice.value for choice in file_format], out, overwrite=overwrite)


def delete(
    session: list[str] = typer.Argument(..., help="Ids, as sessions list shows them."),
    pictures_only: bool = typer.Option(False, "--pictures-only", help="Keep the counts, and free the pictures' room."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
    folder: Path = _FOLDER,
) -> None:
    """Delete sessions with their pictures, for good.

    Example: hemonode sessions delete 20261121-143531-693a1d --pictures-only
    """
    from hemonode.runtime.record.deleting import delete_sessions

    delete_sessions(folder, session, pictures_only=pictures_only, ask=not yes)
