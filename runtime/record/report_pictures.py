"""The pictures of a report: a few fields with what was found in them, small enough to send by mail."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

import cv2

from hemonode.errors import HemonodeError
from hemonode.runtime.record.pictures import Pixels
from hemonode.runtime.record.told import RecordedField, RecordedSession

if TYPE_CHECKING:
    from hemonode.runtime.record.store import SessionStore

MOST = 9
_WIDTH_PX = 520
_JPEG_QUALITY = 82
_BAR_STEPS_UM = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_BAR_SHARE = 0.25
"""Of the picture's width that a scale bar may take."""


def field_pictures(store: SessionStore, session: RecordedSession) -> Iterator[str]:
    """Up to `MOST` fields, evenly spread over the session; nothing where no picture was kept."""
    numbers = store.pictured(session.id)
    if not numbers:
        return
    chosen = spread(numbers, MOST)
    of = f"{len(chosen)} of {len(numbers)}, evenly spread" if len(chosen) < len(numbers) else "all that were kept"
    yield f'<h2>Fields</h2><p class="quiet">{of}. Filled marks: cells that the counting frame takes in.</p>'
    yield '<div class="fields">'
    for number in chosen:
        yield _figure(store, session, number)
    yield "</div>"


def spread(numbers: Sequence[int], most: int) -> list[int]:
    """At most so many of them, from the first to the last."""
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[round(index * (len(numbers) - 1) / (most - 1))] for index in range(most)]


def _figure(store: SessionStore, session: RecordedSession, number: int) -> str:
    field = store.fields(session.id, number - 1, 1)[0]
    try:
        picture = _jpeg(store.drawn(session.id, number), field.um_per_px)
    except HemonodeError as error:
        return f'<figure><figcaption class="warn">Field {number}: {escape(str(error))}</figcaption></figure>'
    source = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    image = f'<img src="{source}" alt="Field {number} with its mask">'
    return f"<figure>{image}<figcaption>{_caption(session, field)}</figcaption></figure>"


def _caption(session: RecordedSession, field: RecordedField) -> str:
    counts = " ".join(
        f'<span style="white-space:nowrap"><span class="dot" style="background:{entry.colour};margin:0 4px 0 6px">'
        f"</span>{field.in_frame.get(entry.id, 0)}</span>"
        for entry in session.classes
        if entry.countable
    )
    kind = {"tallied": "", "counted": " · counted by hand", "snapshot": " · snapshot, not counted"}[field.kind]
    note = f"<br>{escape(field.note)}" if field.note else ""
    warned = f'<br><span class="warn">{escape("; ".join(field.warnings))}</span>' if field.warnings else ""
    return f'<b>{field.id}</b>{counts}<span class="quiet">{kind}</span>{note}{warned}'


def _jpeg(pixels: Pixels, um_per_px: float | None) -> bytes:
    factor = min(_WIDTH_PX / pixels.shape[1], 1.0)
    if factor < 1:
        size = (_WIDTH_PX, max(round(pixels.shape[0] * factor), 1))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if um_per_px is not None:
        _draw_scale_bar(pixels, um_per_px / factor)
    _, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    return bytes(data)


def _draw_scale_bar(pixels: Pixels, um_per_px: float) -> None:
    """A bar of a round length at the lower right, black on white so that it shows on any ground."""
    height, width = pixels.shape[:2]
    lengths = [length for length in _BAR_STEPS_UM if length / um_per_px <= _BAR_SHARE * width]
    if not lengths:
        return
    bar_px, text = round(lengths[-1] / um_per_px), f"{lengths[-1]} um"
    right, bottom = width - 10, height - 10
    (text_px, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    place = (right - (bar_px + text_px) // 2, bottom - 7)
    for colour, thick in (((255, 255, 255), 4), ((0, 0, 0), 1)):
        cv2.line(pixels, (right - bar_px, bottom), (right, bottom), colour, thick + 2)
        cv2.putText(pixels, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick, cv2.LINE_AA)
