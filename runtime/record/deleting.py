"""`hemonode sessions delete`: sessions and their pictures, for good."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import typer

from hemonode.errors import OutputError
from hemonode.runtime.plans.words import size_text
from hemonode.runtime.record.choosing import LAST, the_session
from hemonode.runtime.record.database import cannot_write, open_for_writing
from hemonode.runtime.record.ledger import transaction
from hemonode.runtime.record.places import Places
from hemonode.runtime.record.store import SessionStore
from hemonode.runtime.record.told import RecordedSession


def delete_sessions(folder: Path | None, named: Sequence[str], *, pictures_only: bool, ask: bool) -> None:
    """Delete sessions, or their pictures only.

    Args:
        folder: of the store; None is the user's.
        named: ids; "last" is not taken: it is another one a moment later.
        pictures_only: the counts stay.
        ask: whether a person at a terminal is asked first; without one nothing is deleted unasked.

    Raises:
        UnknownNameError: there is no such session.
        OutputError: one is being recorded, nobody can be asked, or the store cannot be written.
    """
    store = SessionStore(folder)
    if LAST in named:
        raise OutputError("name the session to delete by its id; hemonode sessions list shows it.")
    sessions = [the_session(store, name) for name in dict.fromkeys(named)]
    for session in sessions:
        if session.state == "recording":
            raise OutputError(f"{session.id} ({session.name}) is being recorded; finish it first.")
    if ask:
        _ask(sessions, pictures_only)
    freed = sum(session.picture_bytes for session in sessions)
    try:
        _delete(store.places, sessions, pictures_only)
    except (sqlite3.Error, OSError) as error:
        raise cannot_write(store.places, error) from error
    what = "pictures of " if pictures_only else ""
    count = f"{len(sessions)} session{'' if len(sessions) == 1 else 's'}"
    print(f"deleted {what}{count}, {size_text(freed)} freed", file=sys.stderr)


def _ask(sessions: Sequence[RecordedSession], pictures_only: bool) -> None:
    if not sys.stdin.isatty():
        raise OutputError("deleting is for good: add --yes where nobody can be asked.")
    for session in sessions:
        what = "" if pictures_only else f"{session.cells:,} cells in {session.fields:,} fields, "
        typer.echo(f"{session.id} {session.name}: {what}{session.pictures:,} pictures", err=True)
    if not typer.confirm(f"Delete {'these pictures' if pictures_only else 'all of this'} for good?", err=True):
        raise OutputError("nothing was deleted.")


def _delete(places: Places, sessions: Sequence[RecordedSession], pictures_only: bool) -> None:
    # Pictures first: on a full disk their room is what the database needs to be changed at all.
    for session in sessions:
        with suppress(FileNotFoundError):
            shutil.rmtree(places.pictures(session.id))
    with closing(open_for_writing(places)) as connection:
        with transaction(connection):
            for session in sessions:
                key = "(SELECT key FROM sessions WHERE id = ?)"
                statement = (
                    f"UPDATE fields SET picture_bytes = NULL WHERE session = {key}"
                    if pictures_only
                    else "DELETE FROM sessions WHERE id = ?"
                )
                connection.execute(statement, (session.id,))
        connection.execute("PRAGMA incremental_vacuum").fetchall()
