"""Butcher tableaus: explicit Runge-Kutta methods as data that checks itself when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hemonode.errors import ExportError

TOLERANCE = 1e-14
"""Rounding left in sums of coefficients such as 1/3, in float64."""


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: k_i = f(t + c_i·Δt, h + Δt·Σ_j a_ij·k_j), then h + Δt·Σ_i b_i·k_i.

    Attributes:
        name: what the command line and the bundle call it.
        order: of convergence on smooth f; the tests prove it by the rooted-tree conditions.
        c: place of each stage inside the step, from 0 to 1.
        a: row i holds the i coefficients of the stages before it.
        b: weight of each stage.

    Raises:
        ExportError: not explicit, row sums differ from c, or the weights do not sum to 1.
    """

    name: str
    order: int
    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.a) == len(self.b) == len(self.c):
            raise ExportError(f"tableau '{self.name}': a, b and c must have one entry per stage")
        for stage, (row, place) in enumerate(zip(self.a, self.c, strict=True)):
            if len(row) != stage:
                raise ExportError(
                    f"tableau '{self.name}' is not explicit: row {stage} of a must have {stage} entries, not {len(row)}"
                )
            if abs(math.fsum(row) - place) > TOLERANCE:
                raise ExportError(f"tableau '{self.name}': row {stage} sums to {math.fsum(row)}, but c is {place}")
        if abs(math.fsum(self.b) - 1) > TOLERANCE:
            raise ExportError(f"tableau '{self.name}': the weights b sum to {math.fsum(self.b)}, not 1")

    @property
    def stages(self) -> int:
        """Evaluations of f in one step."""
        return len(self.b)


# Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section II.1. One line per method.
TABLEAUS = {
    tableau.name: tableau
    for tableau in (
        Tableau("euler", 1, c=(0,), a=((),), b=(1,)),
        Tableau("midpoint", 2, c=(0, 1 / 2), a=((), (1 / 2,)), b=(0, 1)),
        Tableau("heun", 2, c=(0, 1), a=((), (1,)), b=(1 / 2, 1 / 2)),
        Tableau(
            "rk4", 4, c=(0, 1 / 2, 1 / 2, 1), a=((), (1 / 2,), (0, 1 / 2), (0, 0, 1)), b=(1 / 6, 1 / 3, 1 / 3, 1 / 6)
        ),
    )
}
