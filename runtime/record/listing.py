"""`hemonode sessions list` and `show`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from hemonode.runtime.batch.summary import RESEARCH_USE
from hemonode.runtime.live.status import Interval
from hemonode.runtime.plans.words import duration_text, size_text
from hemonode.runtime.record.choosing import the_session
from hemonode.runtime.record.figures import class_figures
from hemonode.runtime.record.store import SessionStore
from hemonode.runtime.record.told import RecordedSession

# Where nobody reads on a screen, lines need not be broken.
_WIDTH_IN_FILES = 240
_EVENTS_SHOWN = 10


def print_sessions(folder: Path | None, *, as_json: bool) -> None:
    """Print all sessions, newest first.

    Args:
        folder: of the store; None is the user's.
        as_json: for programs.

    Raises:
        OutputError: the store cannot be read.
    """
    store = SessionStore(folder)
    sessions = store.sessions()
    if as_json:
        print(json.dumps([_plain(session) for session in sessions], indent=2))
        return
    show = _console()
    if not sessions:
        show.print(f"Nothing has been recorded yet; sessions would go to {store.places.folder}", soft_wrap=True)
        return
    total = size_text(sum(session.picture_bytes for session in sessions))
    table = Table(title=f"Sessions in {store.places.folder}, pictures {total}", title_justify="left", box=box.SIMPLE)
    table.add_column("id", no_wrap=True)
    table.add_column("sample", overflow="fold")
    table.add_column("when", no_wrap=True)
    for name in ("cells", "fields", "pictures"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for session in sessions:
        figures = (f"{session.cells:,}", f"{session.fields:,}", f"{session.pictures:,}")
        table.add_row(session.id, session.name, _local(session.started), *figures, session.state)
    show.print(table)


def print_session(folder: Path | None, session_id: str, *, as_json: bool) -> None:
    """Print one session.

    Args:
        folder: of the store; None is the user's.
        session_id: see `the_session`.
        as_json: for programs.

    Raises:
        UnknownNameError: there is none, or more than one, that begins so.
        OutputError: the store cannot be read.
    """
    store = SessionStore(folder)
    session = the_session(store, session_id)
    models = store.models(session.id)
    events = store.events(session.id)
    if as_json:
        figures = [asdict(figure) for figure in class_figures(session)]
        told = {**_plain(session), "figures": figures, "models": [asdict(model) for model in models]}
        print(json.dumps({**told, "warnings": store.warnings(session.id), "notice": RESEARCH_USE}, indent=2))
        return
    show = _console()
    show.print(f"{session.name}: {session.state}, {_local(session.started)}, {duration_text(session.seconds)}")
    show.print(f"{session.source}; {session.fields:,} fields recorded, {session.area:.1f} fields of view covered")
    show.print(_figures(session))
    for model in models:
        show.print(
            f"{model.fields:,} fields by {model.bundle}, solver {model.setting}, {model.engine} {model.version} "
            f"{model.precision} (sha256 {model.bundle_sha256})",
            soft_wrap=True,
        )
    for warning, count in store.warnings(session.id).items():
        show.print(f"Warning of {count} fields: {warning}", soft_wrap=True)
    for event in events[-_EVENTS_SHOWN:]:
        show.print(f"{duration_text(event.seconds):>12}  {event.message}", soft_wrap=True)
    if session.pictures:
        where = store.places.pictures(session.id)
        show.print(f"{session.pictures:,} pictures, {size_text(session.picture_bytes)}, in {where}", soft_wrap=True)
    show.print(RESEARCH_USE)


def _figures(session: RecordedSession) -> Table:
    table = Table(box=box.SIMPLE)
    table.add_column("class", no_wrap=True)
    for name in ("counted", "share, %", "95 % interval", "per field", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for figure in class_figures(session):
        share = Interval(*(None if v is None else 100 * v for v in asdict(figure.share).values()))
        table.add_row(
            figure.name.replace("_", " "), f"{figure.counted:,}", *_interval(share), *_interval(figure.per_field)
        )
    return table


def _interval(interval: Interval) -> tuple[str, str]:
    if interval.value is None or interval.low is None or interval.high is None:
        return "", ""
    return f"{interval.value:.2f}", f"{interval.low:.2f} to {interval.high:.2f}"


def _plain(session: RecordedSession) -> dict[str, object]:
    told = asdict(session)
    return told | {name: value.isoformat() for name, value in told.items() if isinstance(value, datetime)}


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def _console() -> Console:
    show = Console(markup=False, emoji=False, highlight=False)
    return show if show.is_terminal else Console(markup=False, emoji=False, highlight=False, width=_WIDTH_IN_FILES)
