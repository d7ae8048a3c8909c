"""What was counted so far, and what that says: shares and cells per field with exact intervals, and the way to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.classes import countable_names
from hemonode.runtime.live.status import ClassTally, TrendPoint
from hemonode.runtime.tally.intervals import cells_needed, rate_interval, share_interval

MOST_POINTS = 240
"""Of the trend; where there are more, every second one goes."""


@dataclass(frozen=True)
class Goal:
    """A class shall be known to ± `percent` of its count (Poisson, 95 %)."""

    class_id: int
    percent: float

    @property
    def cells(self) -> int:
        """Cells that takes."""
        return cells_needed(self.percent)


def usual_goal_class(classes: Sequence[ClassRecord]) -> int:
    """White cells, where the model knows them: what a differential is about."""
    named = {name: class_id for class_id, name in countable_names(classes).items()}
    return named.get("white_cell", next(iter(named.values()), 0))


class Ledger:
    """Counts of one tally.

    Args:
        classes: those of the model; the countable ones are counted.
        counted: cells by class id that are there from the start.
        fields: the area they were found in, in fields of view.
    """

    def __init__(self, classes: Sequence[ClassRecord], counted: Mapping[int, int], fields: float) -> None:
        self._names = countable_names(classes)
        self._counted = {number: int(counted.get(number, 0)) for number in self._names}
        self._fields = fields
        self._trend: list[TrendPoint] = [self._point()] if self.cells else []

    @property
    def fields(self) -> float:
        """Area covered, in fields of view."""
        return self._fields

    @property
    def cells(self) -> int:
        """All cells counted."""
        return sum(self._counted.values())

    def add(self, counts: Mapping[int, int], area: float) -> None:
        """A field: new cells by class id, and the area it adds in fields of view."""
        for number, count in counts.items():
            self._counted[number] += count
        self._fields += area
        self._trend.append(self._point())
        if len(self._trend) > MOST_POINTS:
            del self._trend[1::2]

    def classes(self) -> tuple[ClassTally, ...]:
        """Each class, with its intervals."""
        cells = self.cells
        return tuple(
            ClassTally(number, name, count, rate_interval(count, self._fields), share_interval(count, cells))
            for (number, name), count in zip(self._names.items(), self._counted.values(), strict=True)
        )

    def trend(self) -> tuple[TrendPoint, ...]:
        """How the counts grew."""
        return tuple(self._trend)

    def progress(self, goal: Goal) -> float:
        """0 to 1: how many of the cells that the goal takes were counted."""
        return min(1.0, self._counted.get(goal.class_id, 0) / goal.cells)

    def _point(self) -> TrendPoint:
        return TrendPoint(round(self._fields, 3), dict(self._counted))
