"""The blocks together: does the network's output hold under a combination, and if not, which block to improve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hemonode.errors import SolverError
from hemonode.export.search.blocks import BlockSearch, Measured
from hemonode.export.search.candidates import label
from hemonode.export.search.measure import Pictures
from hemonode.export.search.network import Change
from hemonode.export.search.question import Limits
from hemonode.export.solver_record import OutputChange, Repair
from hemonode.export.unroll import Unrolled

_LOOKED_AT = 5
"""Pictures on which blocks are compared where counts differ: solving all but one block exactly takes a second."""


def holds(change: OutputChange, limits: Limits) -> bool:
    """Whether mask and counts are within the limits."""
    return change.mask <= limits.mask and change.counts <= limits.counts


def output_change(pictures: Pictures, solvers: Mapping[int, Unrolled], limits: Limits | None = None) -> OutputChange:
    """What a combination changes over the pictures; with limits, only up to the first picture whose mask fails."""
    changes: dict[int, Change] = {}
    for index in range(len(pictures)):
        changes[index] = pictures.change(solvers, index)
        if limits is not None and changes[index].mask_share > limits.mask:
            break
    worst = max(changes, key=lambda index: changes[index].mask_share)
    cells = sum(found.of_cells for found in changes.values())
    return OutputChange(
        mask=changes[worst].mask_share,
        mask_mean=sum(found.pixels for found in changes.values()) / sum(found.of_pixels for found in changes.values()),
        counts=sum(found.cells for found in changes.values()) / max(cells, 1),
        worst_image=pictures.frames[worst].name,
        images=len(changes),
    )


class Combination:
    """The chosen solver of each block for one tolerance, improved until the network's output holds.

    Args:
        pictures: to measure on.
        searches: of each block, by position.
        tolerance: that every block keeps.
        limits: that the output must keep.
    """

    def __init__(
        self, pictures: Pictures, searches: Mapping[int, BlockSearch], tolerance: float, limits: Limits
    ) -> None:
        self._pictures = pictures
        self._tolerance = tolerance
        self._limits = limits
        self._ways: dict[int, Iterator[Measured]] = {
            position: search.choices(tolerance) for position, search in searches.items()
        }
        self.chosen = {position: next(way) for position, way in self._ways.items()}
        self.repairs: list[Repair] = []

    @property
    def solvers(self) -> dict[int, Unrolled]:
        """The solver of each block."""
        return {position: measured.solver for position, measured in self.chosen.items()}

    def settle(self) -> OutputChange:
        """Improve until the output holds; returns what it changes then.

        Raises:
            SolverError: no block has a better solver left within the budget.
        """
        while True:
            found = output_change(self._pictures, self.solvers, self._limits)
            if holds(found, self._limits):
                return found
            self._improve(found)

    def _improve(self, found: OutputChange) -> None:
        for position in self._by_contribution(found):
            better = next(self._ways[position], None)
            if better is not None:
                before, after = label(self.chosen[position].solver), label(better.solver)
                self.repairs.append(Repair(position=position, before=before, after=after, change=found))
                self.chosen[position] = better
                return
        raise SolverError(
            f"no combination within the budget keeps a tolerance of {self._tolerance:g} in the network's output: the "
            f"best found changes {found.mask:.3%} of the mask on {found.worst_image} (allowed {self._limits.mask:.3%}) "
            f"and {found.counts:.2%} of the counts (allowed {self._limits.counts:.2%}); "
            "allow more evaluations, or more change"
        )

    def _by_contribution(self, found: OutputChange) -> list[int]:
        """The blocks by falling change that each makes alone where the output fails, the others solved exactly."""
        mask_fails = found.mask > self._limits.mask
        where = self._failing(found, mask_fails=mask_fails)

        def contribution(position: int) -> int:
            alone = {position: self.chosen[position].solver}
            changes = (self._pictures.change(alone, index) for index in where)
            return sum(change.pixels if mask_fails else change.cells for change in changes)

        return sorted(self.chosen, key=contribution, reverse=True)

    def _failing(self, found: OutputChange, *, mask_fails: bool) -> list[int]:
        if mask_fails:
            return [index for index, frame in enumerate(self._pictures.frames) if frame.name == found.worst_image]
        cells = [self._pictures.change(self.solvers, index).cells for index in range(len(self._pictures))]
        return sorted(range(len(cells)), key=lambda index: -cells[index])[:_LOOKED_AT]
