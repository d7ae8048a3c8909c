"""What is asked of a search: tolerances, how much the output may change, and which solvers to try."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hemonode.errors import SolverError
from hemonode.export.tableau import TABLEAUS, Tableau

FINEST = 1e-6
"""Float32 rounds the states of a block by about this much of their movement."""


@dataclass(frozen=True)
class Limits:
    """How much the network's output may change against the reference.

    Attributes:
        mask: share of any picture's mask pixels.
        counts: of all cells of all pictures, the share by which the counts of pictures and classes may differ.
    """

    mask: float
    counts: float


def usual_limits(tolerance: float) -> Limits:
    """0.1 % of pixels and 1 % of counts at 1e-3, in proportion elsewhere, but never above 1 % and 2 %."""
    return Limits(mask=min(tolerance, 0.01), counts=min(10 * tolerance, 0.02))


@dataclass(frozen=True)
class Question:
    """What to search for.

    Attributes:
        tolerances: each gives one rung; see `hemonode.export.block_error` for what keeps one.
        tableaus: the methods to try.
        budget: most evaluations of f in one pass of a block.
        estimate: whether the solvers shall estimate their local errors.
        half: whether the tolerances shall hold in FP16 graphs, too.
        limits: in place of the usual ones, by tolerance.

    Raises:
        SolverError: a tolerance that no solver can keep, or that means nothing.
    """

    tolerances: tuple[float, ...]
    tableaus: Sequence[Tableau] = tuple(TABLEAUS.values())
    budget: int = 32
    estimate: bool = False
    half: bool = False
    limits: Mapping[float, Limits] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tolerances:
            raise SolverError("no tolerance was named: ask for at least one, such as 1e-3")
        for tolerance in self.tolerances:
            _check(tolerance)

    def limits_of(self, tolerance: float) -> Limits:
        """How much the output may change at a tolerance."""
        return self.limits.get(tolerance) or usual_limits(tolerance)


def _check(tolerance: float) -> None:
    # NaN is above nothing.
    if not tolerance > 0:
        raise SolverError(f"a tolerance of {tolerance:g} cannot be kept: ask for one above 0, such as 1e-3")
    if math.isinf(tolerance) or tolerance >= 1:
        raise SolverError(
            f"a tolerance of {tolerance:g} asks for nothing, since errors are shares of a block's movement: "
            "ask for one below 1, such as 1e-3"
        )
    if tolerance < FINEST:
        raise SolverError(
            f"a tolerance of {tolerance:g} is tighter than FP32 can hold, whose rounding alone reaches it: "
            f"ask for at least {FINEST:g}"
        )


def rung_name(tolerance: float) -> str:
    """What the rung of a tolerance is called: 0.001 is "tol1e-3"."""
    mantissa, exponent = f"{tolerance:e}".split("e")
    return f"tol{float(mantissa):g}e{int(exponent)}"
