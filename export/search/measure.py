"""Every measurement that a choice of solvers needs, on one set of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from hemonode.export.accepted_grid import accepted_grid
from hemonode.export.block_error import BlockError, block_error
from hemonode.export.frames import PreparedFrame
from hemonode.export.reference import stride_of
from hemonode.export.search.candidates import key
from hemonode.export.search.exact import Exact, References, Solved, solve_exactly
from hemonode.export.search.ledger import Ledger
from hemonode.export.search.network import Change, Network, change
from hemonode.export.unroll import Unrolled
from hemonode.train.models.integrators import Integrator

Advance = Callable[[str, int, int], None]


def spread(count: int, most: int) -> list[int]:
    """At most so many indices of `count` pictures, evenly spread over them."""
    chosen = min(count, most)
    return [index * count // chosen for index in range(chosen)]


class AdaptiveRun(NamedTuple):
    """What dopri5 did: evaluations of f, those of rejected steps included, and the grid of its accepted steps."""

    evaluations: int
    grid: tuple[float, ...]


class Pictures:
    """Prepared pictures with their reference solutions, each solved when it is first needed.

    Args:
        network: the network that is measured.
        frames: the pictures; their names differ.
        references: at which tolerance each block's reference is solved.
        ledger: remembers every measurement.
        advance: called with (what is being done, how far, of how much), for a progress bar.
    """

    def __init__(
        self,
        network: Network,
        frames: Sequence[PreparedFrame],
        references: References,
        ledger: Ledger,
        advance: Advance,
    ) -> None:
        self.network = network
        self.frames = frames
        self.references = references
        self._ledger = ledger
        self.advance = advance
        self._solved: dict[int, Solved] = {}

    def __len__(self) -> int:
        return len(self.frames)

    def solved(self, index: int) -> Solved:
        """A picture's reference solution.

        Raises:
            SolverError: a state is not finite.
        """
        if index not in self._solved:
            self._solved[index] = solve_exactly(self.network, self.frames[index], self.references.tolerances)
            self.advance("Solving by the reference", len(self._solved), len(self))
        return self._solved[index]

    def error(self, position: int, solver: Unrolled, index: int) -> BlockError:
        """The error of a solver, in float32, in one block on one picture."""

        def measure() -> tuple[float, ...]:
            states = self.solved(index).states[position]
            with torch.no_grad():
                end = solver(self.network.blocks[position].dynamics, states.start)
            return tuple(block_error(states.start, end, states.end, stride_of(self.frames[index], states)))

        return BlockError(*self.recall(f"error {position} {key(solver)}", index, measure))

    def adaptive(self, position: int, tolerance: float, index: int) -> AdaptiveRun:
        """How dopri5 at a tolerance solves one block on one picture."""
        dynamics = self.network.blocks[position].dynamics

        def measure() -> tuple[float, ...]:
            start = self.solved(index).states[position].start
            before = dynamics.evaluations
            grid = accepted_grid(dynamics, start, tolerance)
            return (dynamics.evaluations - before, *grid)

        evaluations, *grid = self.recall(f"dopri5 {position} {tolerance!r}", index, measure)
        return AdaptiveRun(int(evaluations), tuple(grid))

    def change(self, solvers: Mapping[int, Unrolled], index: int) -> Change:
        """What the network's answer changes on one picture under these solvers; other blocks stay at the reference."""

        def measure() -> tuple[float, ...]:
            reference = self.solved(index)
            self.advance("Comparing the network's output", index + 1, len(self))
            others = self.references.tolerances.keys() - solvers.keys()
            exact: dict[int, Integrator] = {other: Exact(self.references.tolerances[other]) for other in others}
            return change(self.network.answer(self.frames[index], {**exact, **solvers}), reference.answer)

        names = " ".join(f"{position}:{key(solver)}" for position, solver in sorted(solvers.items()))
        return Change(*(int(value) for value in self.recall(f"change {names}", index, measure)))

    def recall(self, what: str, index: int, measure: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
        """What is known of one picture by that name, or is measured now."""
        return self._ledger.recall(f"{what} @ {self.frames[index].name}", measure)
