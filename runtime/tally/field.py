"""One field of view that was counted, on its way to the recorder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hemonode.runtime.live.result import Result

FieldKind = Literal["tallied", "counted", "snapshot"]


@dataclass(frozen=True)
class CountedField:
    """A field.

    Attributes:
        kind: "tallied": its part of the running tally; "counted": by "count this field"; "snapshot": kept, not counted.
        result: the picture, mask, cells and what computed them.
        counts: cells that this field adds, by class id; for "tallied" those not counted before.
        at: when the picture was taken, UTC.
        position_px: of the picture's top left corner from that of the tally's first picture, (x, y) in pixels of the
            camera; None where it is not known.
        area: what it adds to the area covered, in fields of view: 1 for a whole new one.
        warnings: why the count may be wrong.
        note: of the person.
    """

    kind: FieldKind
    result: Result
    counts: dict[int, int]
    at: datetime
    position_px: tuple[float, float] | None = None
    area: float = 1.0
    warnings: tuple[str, ...] = ()
    note: str = ""
