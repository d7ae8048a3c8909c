"""A session as a report to read and print: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from hemonode.runtime.live.status import ClassTally, Interval
from hemonode.runtime.record.figures import class_figures
from hemonode.runtime.record.report_charts import trend_charts
from hemonode.runtime.record.report_pictures import field_pictures
from hemonode.runtime.record.report_provenance import event_table, provenance
from hemonode.runtime.record.report_style import STYLE
from hemonode.runtime.record.told import RecordedSession
from hemonode.runtime.tally.intervals import rate_interval

if TYPE_CHECKING:
    from hemonode.runtime.record.store import SessionStore

NOTICE = "For research use; not a diagnostic device"


def report_page(store: SessionStore, session: RecordedSession) -> Iterator[bytes]:
    """The page in pieces. All that a person or a device has named is escaped."""
    for part in _parts(store, session):
        yield part.encode()


def _parts(store: SessionStore, session: RecordedSession) -> Iterator[str]:
    name = escape(session.name)
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{name}: hemonode report</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{name}</h1><p>{_when(session)}</p>{_notices(session)}{_key(session)}</header><main>"
    )
    yield _cells(session)
    yield _trend(store, session)
    yield _warnings(store, session)
    yield from field_pictures(store, session)
    yield provenance(store, session)
    yield event_table(store, session)
    yield f"</main><footer>{NOTICE}. hemonode {escape(session.hemonode)} · session {escape(session.id)}</footer>"
    yield "</body></html>\n"


def _when(session: RecordedSession) -> str:
    started = session.started.strftime("%d %B %Y, %H:%M UTC")
    return f"{started} · {_length(session.seconds)} · {escape(session.source)}"


def _notices(session: RecordedSession) -> str:
    said = [f"<b>{NOTICE}.</b>"]
    if session.state == "interrupted":
        said.append("This session was interrupted: what was counted until then is here, and it can be gone on with.")
    if session.state == "recording":
        said.append("This session is still being recorded: the figures are those of now.")
    if session.by_hand:
        said.append("Fields were counted one by one, by hand; the same cells may have been counted in more than one.")
    return f'<p class="notice">{"<br>".join(said)}</p>'


def _key(session: RecordedSession) -> str:
    figures = (
        (f"{session.cells:,}", "cells counted"),
        (f"{session.area:.1f}" if session.area % 1 else f"{session.area:.0f}", "fields of view covered"),
        (f"{session.pictures:,}", "pictures kept"),
    )
    return '<div class="key">' + "".join(f"<div><b>{value}</b>{label}</div>" for value, label in figures) + "</div>"


def _cells(session: RecordedSession) -> str:
    if not session.cells:
        return "<h2>Cells</h2><p>No cell was counted in this session.</p>"
    colours = {entry.id: (entry.colour, entry.label) for entry in session.classes}
    rows = "".join(_row(figure, *colours[figure.id]) for figure in class_figures(session))
    rate = rate_interval(session.cells, session.area)
    rows += (
        f'<tr class="total"><td>All</td><td class="n">{session.cells:,}</td><td></td><td></td>'
        f'<td class="n">{_plain(rate.value)}</td><td class="n">{_between(rate)}</td></tr>'
    )
    return (
        '<h2>Cells</h2><div class="wide"><table class="main"><thead><tr><th>class</th><th class="n">counted</th>'
        '<th class="n">share of all cells</th><th class="n">95 % interval</th><th class="n">per field of view</th>'
        f'<th class="n">95 % interval</th></tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="quiet">n = {session.cells:,} cells of all classes. Shares have binomial intervals '
        "(Clopper-Pearson), cells per field Poisson intervals (Garwood): the error of counting alone. They say nothing "
        "of how well the model tells cells apart, or of how the smear was made.</p>"
    )


def _row(figure: ClassTally, colour: str, label: str) -> str:
    return (
        f'<tr><td><span class="dot" style="background:{colour}"></span>{escape(label)}</td>'
        f'<td class="n">{figure.counted:,}</td>'
        f'<td class="n"><b>{_percent(figure.share.value)} %</b></td>'
        f'<td class="n">{_between(figure.share, percent=True)}</td>'
        f'<td class="n">{_plain(figure.per_field.value)}</td><td class="n">{_between(figure.per_field)}</td></tr>'
    )


def _trend(store: SessionStore, session: RecordedSession) -> str:
    charts = trend_charts(store.trend(session.id, "counted" if session.by_hand else "tallied"), session.classes)
    if not charts:
        return ""
    return (
        f'<section class="trends-all"><h2>How the shares settled</h2><div class="trends">{charts}</div>'
        '<p class="quiet">Share of all cells so far, over the fields of view covered; shaded: its 95 % interval.</p>'
        "</section>"
    )


def _warnings(store: SessionStore, session: RecordedSession) -> str:
    found = sorted(store.warnings(session.id).items(), key=lambda item: -item[1])
    if not found:
        return ""
    rows = "".join(f'<tr><td class="warn">{escape(text)}</td><td class="n">{count}</td></tr>' for text, count in found)
    return (
        '<h2>Warnings</h2><table><thead><tr><th>of the fields that were kept</th><th class="n">fields</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _between(interval: Interval, *, percent: bool = False) -> str:
    if percent:
        return f"{_percent(interval.low)} to {_percent(interval.high)} %"
    return f"{_plain(interval.low)} to {_plain(interval.high)}"


def _percent(share: float | None) -> str:
    if share is None:
        return "?"
    return f"{100 * share:.2f}" if 0 < share < 0.01 else f"{100 * share:.1f}"


def _plain(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
