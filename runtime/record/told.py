"""What the store tells of sessions, fields and events: plain values that become JSON as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.live.status import ClassStatus
from hemonode.runtime.record.facts import SessionFacts, Value
from hemonode.runtime.segmentation import ModelUsed
from hemonode.runtime.tally.field import FieldKind

SessionState = Literal["recording", "finished", "interrupted"]
PictureKind = Literal["picture", "mask", "overlay"]


@dataclass(frozen=True)
class RecordedModel(ModelUsed):
    """What computed some of a session's fields, and how many of them.

    Attributes:
        fields: that it computed.
    """

    fields: int


@dataclass(frozen=True)
class RecordedSession:
    """A session.

    Attributes:
        id: letters, digits and dashes.
        state: "interrupted": never finished, and nobody writes it now.
        started: wall clock, UTC, as the machine had it.
        ended: None of one that was never finished.
        seconds: from its start to its last field or end by the steady clock, interruptions left out.
        fields: recorded, of all kinds, snapshots too.
        area: that the tally covered, in fields of view.
        pictures: kept.
        picture_bytes: that they take, masks included.
        counted: cells of the tally by class id, or of the fields counted by hand where nothing was tallied.
        by_hand: whether `counted` and `area` are of fields counted by hand.
        settings: what was chosen when it began.
        last_field: id of the latest; above `fields` where some were summed up.
    """

    id: str
    name: str
    state: SessionState
    source: str
    started: datetime
    ended: datetime | None
    seconds: float
    fields: int
    area: float
    pictures: int
    picture_bytes: int
    cells: int
    counted: Mapping[int, int]
    by_hand: bool
    classes: tuple[ClassStatus, ...]
    bundle: str
    bundle_sha256: str
    hemonode: str
    um_per_px: float | None
    red_cell_px: float | None
    settings: Mapping[str, Value]
    last_field: int = 0


@dataclass(frozen=True)
class RecordedField:
    """One field of a session.

    Attributes:
        id: rises by one with each field of its session, from 1.
        at: when the picture was taken, wall clock, UTC.
        seconds: since the session began, by the steady clock; never falls.
        stands_for: fields that this row sums up; 1, but where a full disk made many wait.
        position_px, area, counts, warnings, note: see `CountedField`.
        visible, in_frame: all cells of the picture, by class id.
        um_per_px: None where it was not known.
        picture: whether picture and mask were kept.
    """

    id: int
    kind: FieldKind
    at: datetime
    seconds: float
    stands_for: int
    counts: Mapping[int, int]
    visible: Mapping[int, int]
    in_frame: Mapping[int, int]
    position_px: tuple[float, float] | None
    area: float
    width: int
    height: int
    red_cell_px: float
    scale_source: str
    um_per_px: float | None
    model: RecordedModel | None
    warnings: tuple[str, ...]
    note: str
    picture: bool
    picture_bytes: int


@dataclass(frozen=True)
class RecordedEvent:
    """Something that happened while a session was recorded."""

    at: datetime
    seconds: float
    kind: str
    message: str
    details: Mapping[str, Value]


def facts_of(session: RecordedSession) -> SessionFacts:
    """What was known of a session when it began."""
    return SessionFacts(
        name=session.name,
        source=session.source,
        bundle=session.bundle,
        bundle_sha256=session.bundle_sha256,
        hemonode=session.hemonode,
        classes=class_records(session.classes),
        um_per_px=session.um_per_px,
        red_cell_px=session.red_cell_px,
        settings=session.settings,
    )


def class_records(classes: Sequence[ClassStatus]) -> tuple[ClassRecord, ...]:
    """Classes as overlays are drawn with."""
    return tuple(
        ClassRecord(id=entry.id, name=entry.name, colour_bgr=_bgr(entry.colour), countable=entry.countable)
        for entry in classes
    )


def class_label(name: str, *, countable: bool) -> str:
    """A class as a person reads it: "White cells", "Background"."""
    return name.replace("_", " ").capitalize() + ("s" if countable else "")


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return blue, green, red
