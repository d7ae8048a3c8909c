"""The solvers that a block may be given: every method in every number of equal steps within a budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hemonode.export.tableau import Tableau
from hemonode.export.unroll import Unrolled, uniform_grid


def uniform_candidates(tableaus: Iterable[Tableau], budget: int, *, estimate: bool) -> list[Unrolled]:
    """Every method × number of equal steps that takes at most `budget` evaluations of f.

    Args:
        tableaus: the methods; with `estimate`, those without a second solution are left out.
        budget: most evaluations of f in one pass, those for the estimate included.
        estimate: whether each shall estimate its local error.
    """
    found = []
    for tableau in tableaus:
        if estimate and tableau.b_low is None:
            continue
        steps = 1
        while tableau.evaluations(steps, estimate=estimate) <= budget:
            found.append(Unrolled(tableau, uniform_grid(steps), estimate=estimate))
            steps += 1
    return found


def is_uniform(grid: Sequence[float]) -> bool:
    """Whether all steps are equal."""
    return tuple(grid) == uniform_grid(len(grid) - 1)


def label(solver: Unrolled) -> str:
    """How a person calls it: method × steps, and whether the steps are those of an adaptive solver."""
    steps = len(solver.grid) - 1
    return f"{solver.tableau.name}×{steps}" + ("" if is_uniform(solver.grid) else " (accepted grid)")


def key(solver: Unrolled) -> str:
    """A name that no other solver of the same methods has."""
    return f"{solver.tableau.name}[{','.join(map(repr, solver.grid))}]"
