"""What waits for the disk: in order, bounded, and never short of a count."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime

from hemonode.runtime.record.rows import EventRow, FieldRow
from hemonode.runtime.record.session import OpenSession
from hemonode.runtime.tally.field import CountedField

ROWS = 20_000
"""Fields that wait one by one, about 1 KiB each; of more the oldest are summed up. At one a second, five hours."""
CELLS_BYTES = 64 << 20
"""That their lists of cells take; beyond, counts alone wait."""
PICTURES = 4
"""Fields that wait with their pictures, megabytes each."""
EVENTS = 2_000


@dataclass(frozen=True)
class Entry:
    """One thing to write: that a session is open where nothing else is given, a field, an event, or the session's end.

    Attributes:
        field: of the row, while its picture is to be written, too.
        ended: when; `seconds` then is the session's length by the steady clock.
    """

    session: OpenSession
    row: FieldRow | None = None
    field: CountedField | None = None
    event: EventRow | None = None
    ended: datetime | None = None
    seconds: float = 0.0


class Waiting:
    """A queue between those who count and the writer. `add` never waits.

    Attributes:
        pictures_let_go: fields that lost their picture because the disk was slower than they came.
        cells_let_go: fields that lost the list of their cells.
        events_let_go: events that were not kept.
        summed_up: fields that share a row with others.
    """

    def __init__(self) -> None:
        self.pictures_let_go = 0
        self.cells_let_go = 0
        self.events_let_go = 0
        self.summed_up = 0
        self._changed = threading.Condition()
        self._entries: deque[Entry] = deque()
        self._sums: dict[tuple[str, str], Entry] = {}
        self._hurried = False
        self._in_work: tuple[Entry, ...] = ()
        self._added = self._over = 0
        self._rows = self._pictures = self._events = self._cells_bytes = 0

    def add(self, entry: Entry) -> None:
        """Leave something to be written."""
        with self._changed:
            if entry.event is not None and self._events >= EVENTS:
                self.events_let_go += 1
                return
            entry = self._within_bounds(entry)
            self._entries.append(entry)
            self._added += 1
            self._count(entry, 1)
            if self._rows > ROWS:
                self._sum_up_oldest()
            self._changed.notify_all()

    def take(self, most: int, timeout_s: float) -> tuple[Entry, ...]:
        """The oldest, to be written together; one whose picture is to be written comes alone."""
        with self._changed:
            if not self._entries and not self._sums and not self._hurried:
                self._changed.wait(timeout_s)
            taken = list(self._sums.values())
            self._sums.clear()
            while self._entries and len(taken) < most:
                with_picture = self._entries[0].field is not None
                if with_picture and taken:
                    break
                taken.append(self._entries.popleft())
                self._count(taken[-1], -1)
                if with_picture:
                    break
            self._in_work = tuple(taken)
            return self._in_work

    def done(self) -> None:
        """What was taken last is written."""
        with self._changed:
            self._over += len(self._in_work)
            self._in_work = ()
            self._changed.notify_all()

    def settle(self, timeout_s: float) -> bool:
        """Wait until all that was left before this call is written. False: it was not in time."""
        with self._changed:
            added = self._added
            return self._changed.wait_for(lambda: self._over >= added, timeout_s)

    @property
    def fields(self) -> int:
        """That are not written yet."""
        with self._changed:
            unwritten = (*self._sums.values(), *self._in_work)
            return self._rows + sum(entry.row.stands_for for entry in unwritten if entry.row is not None)

    @property
    def empty(self) -> bool:
        """Whether all is written."""
        with self._changed:
            return not (self._entries or self._sums or self._in_work)

    def hurry(self) -> None:
        """From now on `take` never waits."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()

    def _within_bounds(self, entry: Entry) -> Entry:
        if entry.field is not None and self._pictures >= PICTURES:
            self.pictures_let_go += 1
            entry = replace(entry, field=None)
        if entry.row is not None and self._cells_bytes + entry.row.cells_bytes > CELLS_BYTES:
            self.cells_let_go += 1
            entry = replace(entry, row=entry.row.without_cells())
        return entry

    def _count(self, entry: Entry, sign: int) -> None:
        self._events += sign * (entry.event is not None)
        self._pictures += sign * (entry.field is not None)
        if entry.row is not None:
            self._rows += sign
            self._cells_bytes += sign * entry.row.cells_bytes

    def _sum_up_oldest(self) -> None:
        """The oldest waiting field becomes part of its kind's sum, which is written before all others."""
        index, oldest = next((i, entry) for i, entry in enumerate(self._entries) if entry.row is not None)
        row = oldest.row
        assert row is not None
        del self._entries[index]
        self._count(oldest, -1)
        self.summed_up += 1
        key = (oldest.session.id, row.kind)
        self._over += key in self._sums  # two become one entry
        sum_so_far = self._sums[key].row if key in self._sums else None
        self._sums[key] = Entry(oldest.session, sum_so_far.with_later(row) if sum_so_far else row.without_cells())
