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

MOST = 12
_WIDTH_PX = 520
_JPEG_QUALITY = 82


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
        picture = _jpeg(store.drawn(session.id, number))
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


def _jpeg(pixels: Pixels) -> bytes:
    factor = _WIDTH_PX / pixels.shape[1]
    if factor < 1:
        size = (_WIDTH_PX, max(round(pixels.shape[0] * factor), 1))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    _, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
    return bytes(data)
