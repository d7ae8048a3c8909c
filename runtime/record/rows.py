"""What waits to be written: fields and events as small values that hold no picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from hemonode.runtime.live.events import Event
from hemonode.runtime.segmentation import ModelUsed
from hemonode.runtime.tally.field import CountedField, FieldKind

_CELL = np.dtype(
    [("class", "u1"), ("x", "f4"), ("y", "f4"), ("width", "f4"), ("height", "f4"), ("score", "f4"), ("in_frame", "?")]
)
# 22 bytes where a `Cell` takes ten times that: many may have to wait.


@dataclass(frozen=True)
class Count:
    """Cells of one class in a field: that it adds, that are visible, and that the counting frame takes in."""

    counted: int
    visible: int
    in_frame: int

    def __add__(self, other: Count) -> Count:
        return Count(self.counted + other.counted, self.visible + other.visible, self.in_frame + other.in_frame)


@dataclass(frozen=True)
class FieldRow:
    """One field without its picture; see `CountedField` and the table `fields`."""

    number: int
    kind: FieldKind
    taken: datetime
    seconds: float
    position_px: tuple[float, float] | None
    area: float
    width: int
    height: int
    red_cell_px: float
    scale_source: str
    um_per_px: float | None
    model: ModelUsed | None
    sequence: int
    latency_ms: float
    block_errors: tuple[float, ...] | None
    warnings: tuple[str, ...]
    note: str
    counts: dict[int, Count]
    packed: npt.NDArray[np.void] | None
    """Structured [cells]; None where they were let go."""
    picture_bytes: int | None = None
    stands_for: int = 1

    @property
    def cells_bytes(self) -> int:
        """Memory that the list of cells takes."""
        return 0 if self.packed is None else self.packed.nbytes

    def cells(self) -> Iterator[tuple[int, float, float, float, float, float, bool]]:
        """(class, x, y, width, height, score, in_frame) of each cell, as precise as a pixel's tenth."""
        for class_id, x, y, width, height, score, in_frame in () if self.packed is None else self.packed.tolist():
            yield class_id, round(x, 1), round(y, 1), round(width, 1), round(height, 1), round(score, 3), in_frame

    def without_cells(self) -> FieldRow:
        """The counts alone."""
        return replace(self, packed=None)

    def with_later(self, later: FieldRow) -> FieldRow:
        """Both as one row with the counts and the area of both, as the later one else."""
        counts = dict(self.counts)
        for class_id, count in later.counts.items():
            counts[class_id] = counts[class_id] + count if class_id in counts else count
        return replace(
            later,
            counts=counts,
            area=self.area + later.area,
            warnings=tuple(dict.fromkeys((*self.warnings, *later.warnings))),
            packed=None,
            stands_for=self.stands_for + later.stands_for,
        )


@dataclass(frozen=True)
class EventRow:
    """One event, with the seconds since the session began."""

    event: Event
    seconds: float


def field_row(field: CountedField, number: int, seconds: float, um_per_px: float | None) -> FieldRow:
    """A field as it is written.

    Args:
        field: counted.
        number: in its session.
        seconds: since the session began, by the steady clock.
        um_per_px: of the session; the frame's own, where it has one, rules.
    """
    # SQLite takes Python's numbers only, not those of NumPy.
    result = field.result
    frame, found, tally = result.frame, result.segmentation, result.tally
    packed = np.array(
        [(c.class_id, c.x, c.y, c.width, c.height, c.score, c.in_frame) for c in found.cells], dtype=_CELL
    )
    height, width = frame.pixels.shape[:2]
    return FieldRow(
        number=number,
        kind=field.kind,
        taken=field.at,
        seconds=seconds,
        position_px=None if field.position_px is None else (float(field.position_px[0]), float(field.position_px[1])),
        area=float(field.area),
        width=width,
        height=height,
        red_cell_px=float(found.red_cell_px),
        scale_source=found.scale_source,
        um_per_px=um_per_px if frame.um_per_px is None else float(frame.um_per_px),
        model=found.model,
        sequence=int(frame.sequence),
        latency_ms=float(result.latency_ms),
        block_errors=None if found.block_errors is None else tuple(map(float, found.block_errors)),
        warnings=field.warnings,
        note=field.note,
        counts={
            int(class_id): Count(int(field.counts.get(class_id, 0)), int(visible), int(tally.in_frame.get(class_id, 0)))
            for class_id, visible in tally.visible.items()
        },
        packed=packed,
    )
