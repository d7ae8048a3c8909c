"""The cheapest solver of one block that keeps a tolerance on every picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from hemonode.errors import SolverError
from hemonode.export.block_error import BlockError
from hemonode.export.search.candidates import is_uniform, label, uniform_candidates
from hemonode.export.search.cost import Cost
from hemonode.export.search.measure import AdaptiveRun, Pictures, spread
from hemonode.export.search.question import Question
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled

DOPRI5 = TABLEAUS["dopri5"]

_SOLVED_ADAPTIVELY = 12
"""Pictures that show how dopri5 steps: it differs little between pictures."""


@dataclass(frozen=True)
class Measured:
    """A candidate with its worst errors over the pictures that it was tried on.

    Attributes:
        images: how many those are.
        worst_image: where the error over a tile is largest.
    """

    position: int
    solver: Unrolled
    cost: float
    error: BlockError
    images: int
    worst_image: str

    def keeps(self, tolerance: float) -> bool:
        """Whether both errors are within a tolerance."""
        return max(self.error) <= tolerance


class BlockSearch:
    """Tries candidates in one block, from cheap to dear, each up to the first picture on which it fails.

    Attributes:
        tried: every candidate measured so far, with its figures on the most pictures that it was tried on.
    """

    def __init__(self, position: int, pictures: Pictures, cost: Cost, question: Question) -> None:
        self.position = position
        self.tried: dict[Unrolled, Measured] = {}
        self._pictures = pictures
        self._cost = cost
        self._question = question
        self._uniform = uniform_candidates(question.tableaus, question.budget, estimate=question.estimate)
        self._grids: dict[float, Unrolled] = {}
        self._order = list(range(len(pictures)))

    def choices(self, tolerance: float) -> Iterator[Measured]:
        """The candidates that keep a tolerance on every picture, from cheap to dear.

        Each is more accurate than the one before: a dearer one that is not is no way out when that one fails.

        Raises:
            SolverError: there is none within the budget.
        """
        best: Measured | None = None
        candidates = self._by_cost(tolerance)
        for number, solver in enumerate(candidates):
            self._pictures.advance(f"{tolerance:g}, block {self.position}: {label(solver)}", number, len(candidates))
            measured = self._try(solver, tolerance)
            if measured.keeps(tolerance) and (best is None or max(measured.error) < max(best.error)):
                best = measured
                yield measured
        if best is None:
            raise self._too_stiff(tolerance)

    def adaptive(self, tolerance: float) -> tuple[float, float]:
        """dopri5 at a tolerance, over some pictures: its mean evaluations of f, and its own largest error."""
        runs = self._adaptive(tolerance)
        errors = (
            max(self._pictures.error(self.position, Unrolled(DOPRI5, run.grid), index)) for index, run in runs.items()
        )
        return fmean(run.evaluations for run in runs.values()), max(errors)

    def _adaptive(self, tolerance: float) -> dict[int, AdaptiveRun]:
        indices = spread(len(self._pictures), _SOLVED_ADAPTIVELY)
        return {index: self._pictures.adaptive(self.position, tolerance, index) for index in indices}

    def _by_cost(self, tolerance: float) -> list[Unrolled]:
        # Of solvers that cost the same the one of higher order first: it errs less, on pictures not seen here, too.
        return sorted(
            [*self._uniform, *self._accepted(tolerance)],
            key=lambda solver: (self._cost.in_tenths(self.position, solver), -solver.tableau.order),
        )

    def _accepted(self, tolerance: float) -> list[Unrolled]:
        """dopri5 on the steps that it accepts at a tolerance, on the picture (of some) that needs most."""
        if DOPRI5 not in self._question.tableaus:
            return []
        if tolerance not in self._grids:
            grid = max((run.grid for run in self._adaptive(tolerance).values()), key=len)
            self._grids[tolerance] = Unrolled(DOPRI5, grid, estimate=self._question.estimate)
        solver = self._grids[tolerance]
        return [solver] if solver.evaluations <= self._question.budget and not is_uniform(solver.grid) else []

    def _try(self, solver: Unrolled, tolerance: float) -> Measured:
        errors: dict[int, BlockError] = {}
        for index in self._order:
            errors[index] = self._pictures.error(self.position, solver, index)
            if not max(errors[index]) <= tolerance:
                # Hard for one candidate, hard for the next.
                self._order.remove(index)
                self._order.insert(0, index)
                break
        worst = max(sorted(errors), key=lambda index: errors[index].tile)
        measured = Measured(
            self.position,
            solver,
            self._cost(self.position, solver),
            BlockError(max(error.whole for error in errors.values()), errors[worst].tile),
            len(errors),
            self._pictures.frames[worst].name,
        )
        if solver not in self.tried or self.tried[solver].images <= measured.images:
            self.tried[solver] = measured
        return measured

    def _too_stiff(self, tolerance: float) -> SolverError:
        best = min(self.tried.values(), key=lambda measured: max(measured.error))
        return SolverError(
            f"ODE block {self.position} is too stiff for a tolerance of {tolerance:g}: within "
            f"{self._question.budget} evaluations the best found is {label(best.solver)} ({best.solver.evaluations} "
            f"evaluations), whose error reaches {max(best.error):.2g} on {best.worst_image}; ask for a looser "
            "tolerance, allow more evaluations, or train dynamics that need fewer"
        )
