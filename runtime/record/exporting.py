"""`hemonode sessions export`: files of a session where the user wants them."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import get_args

from rich.console import Console

from hemonode.errors import OutputError
from hemonode.runtime.batch.files import cannot_write, make_folder
from hemonode.runtime.plans.words import size_text
from hemonode.runtime.record.choosing import the_session
from hemonode.runtime.record.store import ExportFormat, SessionStore

_STDOUT = Path("-")


def export_files(
    folder: Path | None, session_id: str, formats: Sequence[str], out: Path, *, overwrite: bool = False
) -> None:
    """Write a session in each format.

    Args:
        folder: of the store; None is the user's.
        session_id: see `the_session`.
        formats: of `ExportFormat`.
        out: a file for one format, or a folder, which is made where its name ends with a slash or has no suffix; "-" is
            standard output, for one format.
        overwrite: whether a file that is there is replaced.

    Raises:
        UnknownNameError: there is no such session.
        OutputError: the store cannot be read, or the files not written.
    """
    store = SessionStore(folder)
    session = the_session(store, session_id)
    show = Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)
    into_stdout = out == _STDOUT
    into_folder = not into_stdout and (out.is_dir() or not out.suffix)
    if len(formats) > 1 and not into_folder:
        raise OutputError(f"{out} is one file, and {len(formats)} formats are asked for: name a folder.")
    for file_format in get_args(ExportFormat):
        if file_format not in formats:
            continue
        pieces, _, name = store.export(session.id, file_format)
        if into_stdout:
            _print(pieces)
            continue
        if into_folder:
            make_folder(out)
        path = out / name if into_folder else out
        if path.exists() and not overwrite:
            raise OutputError(f"{path} is there already: choose another name, or add --overwrite.")
        show.print(f"{path}, {size_text(_write(path, pieces))}")


def _print(pieces: Iterator[bytes]) -> None:
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
    except OSError as error:
        # What still waits in the buffer can go nowhere, and Python would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise cannot_write(Path("standard output"), error) from error


def _write(path: Path, pieces: Iterator[bytes]) -> int:
    """Write a file of any length so that it is whole or not there. Returns its bytes."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    written = 0
    try:
        with partial.open("wb") as file:
            for piece in pieces:
                written += file.write(piece)
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise cannot_write(path, error) from error
        raise
    return written
