"""A session as CSV: a row for each field, with the columns of `hemonode run` first; for each cell; for each class."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hemonode.runtime.classes import countable_names
from hemonode.runtime.live.status import Interval
from hemonode.runtime.record.figures import class_figures
from hemonode.runtime.record.told import RecordedField, RecordedSession

if TYPE_CHECKING:
    from hemonode.runtime.record.store import SessionStore

PAGE = 500
"""Fields read at once, each page with a view of its own on the store: a slow reader never holds up the writer's log."""


def field_pages(store: SessionStore, session: RecordedSession) -> Iterator[tuple[RecordedField, ...]]:
    """All fields of a session in pages, oldest first."""
    last = 0
    while page := store.fields(session.id, last, PAGE):
        yield page
        last = page[-1].id


def image_name(session: RecordedSession, field: int) -> str:
    """What a field is called where tables of several sessions meet."""
    return f"{session.id}-{field:06}"


def field_table(store: SessionStore, session: RecordedSession) -> Iterator[bytes]:
    """counts.csv of a session: visible cells, those in the counting frame, those that the field added, and the rest."""
    names = countable_names(session.classes)
    columns = [*names.values(), *(f"{name}_in" for name in names.values()), *(f"{n}_counted" for n in names.values())]
    yield _lines([["image", *columns, *_FIELD_COLUMNS]])
    for page in field_pages(store, session):
        yield _lines(_field_line(store, session, field, tuple(names)) for field in page)


def cell_table(store: SessionStore, session: RecordedSession) -> Iterator[bytes]:
    """cells.csv of a session: every cell that was seen, in pixels of its field."""
    names = {entry.id: entry.name for entry in session.classes}
    yield _lines([["image", "class", "x", "y", "width", "height", "score", "in_frame"]])
    for page in field_pages(store, session):
        images = {field.id: image_name(session, field.id) for field in page}
        yield _lines(
            (images[field], names.get(class_id, class_id), *rest)
            for field, class_id, *rest in store.cells(session.id, page[0].id, page[-1].id)
        )


def summary_table(_: SessionStore, session: RecordedSession) -> Iterator[bytes]:
    """A row for each class, with 95 % intervals: binomial for its share, Poisson for its cells per field of view."""
    head = ["session", "sample", "class", "counted", "cells", "share", "share_low", "share_high"]
    yield _lines([[*head, "fields", "per_field", "per_field_low", "per_field_high"]])
    sample = [session.id, _text(session.name)]
    yield _lines(
        [*sample, figure.name, figure.counted, session.cells, *_numbers(figure.share, 5), round(session.area, 3),
         *_numbers(figure.per_field, 4)]
        for figure in class_figures(session)
    )  # fmt: skip


_FIELD_COLUMNS = [
    "kind", "taken", "seconds", "stands_for", "area", "x_px", "y_px", "width", "height", "red_cell_px", "scale_source",
    "um_per_px", "bundle", "setting", "engine", "engine_version", "precision", "warnings", "note", "file",
]  # fmt: skip


def _field_line(
    store: SessionStore, session: RecordedSession, field: RecordedField, classes: tuple[int, ...]
) -> Sequence[object]:
    x_px, y_px = field.position_px or ("", "")
    model = field.model
    picture = store.places.picture(session.id, field.id).relative_to(store.places.folder)
    return [
        image_name(session, field.id),
        *(field.visible.get(class_id, 0) for class_id in classes),
        *(field.in_frame.get(class_id, 0) for class_id in classes),
        *(field.counts.get(class_id, 0) for class_id in classes),
        field.kind,
        field.at.isoformat(),
        field.seconds,
        field.stands_for,
        round(field.area, 4),
        x_px,
        y_px,
        field.width,
        field.height,
        round(field.red_cell_px, 1),
        field.scale_source,
        "" if field.um_per_px is None else field.um_per_px,
        *((model.bundle, model.setting, model.engine, model.version, model.precision) if model else ("",) * 5),
        _text("; ".join(field.warnings)),
        _text(field.note),
        picture.as_posix() if field.picture else "",
    ]


def _numbers(interval: Interval, digits: int) -> list[float | str]:
    return ["" if value is None else round(value, digits) for value in (interval.value, interval.low, interval.high)]


def _text(text: str) -> str:
    """What a person wrote: a spreadsheet must not take it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
