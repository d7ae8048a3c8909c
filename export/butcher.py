"""Butcher tableaus: explicit Runge-Kutta methods as data that checks itself when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from hemonode.errors import ExportError
from hemonode.export.rooted_trees import broken_conditions

TOLERANCE = 1e-14
"""Left over where a coefficient is a decimal such as 0.3333333333333333; fractions are exact."""

HIGHEST_ORDER = 10
"""Beyond it there are more than a thousand conditions, and no method that a block of a network could pay for."""


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: k_i = f(t + c_i·Δt, h + Δt·Σ_j a_ij·k_j), then h + Δt·Σ_i b_i·k_i.

    Attributes:
        name: what the command line and the bundle call it.
        order: of convergence on smooth f; checked by the rooted-tree conditions.
        c: place of each stage inside the step.
        a: row i holds the i coefficients of the stages before it.
        b: weight of each stage.
        b_low: weights of a second solution, whose difference from the first estimates the local error: one per
            stage, or one more, which weighs the slope f(t + Δt, h(t + Δt)) at the end of the step. None: no estimate.
        low_order: order of the second solution (of Fehlberg's 4(5) and of Euler's the higher one).

    Raises:
        ExportError: not explicit, row sums differ from c, weights do not sum to 1, or an order is not kept.
    """

    name: str
    order: int
    c: tuple[Fraction, ...]
    a: tuple[tuple[Fraction, ...], ...]
    b: tuple[Fraction, ...]
    b_low: tuple[Fraction, ...] | None = None
    low_order: int | None = None

    def __post_init__(self) -> None:
        for field, values in (("c", self.c), ("b", self.b), ("b_low", self.b_low)):
            if values is not None:
                object.__setattr__(self, field, self._exact(values))
        object.__setattr__(self, "a", tuple(self._exact(row) for row in self.a))
        self._check_shape()
        self._check_sums()
        self._check_order("b", self.a, self.b, self.order)
        if self.b_low is not None and self.low_order is not None:
            self._check_order("b_low", [*self.a, self.b][: len(self.b_low)], self.b_low, self.low_order)

    @property
    def stages(self) -> int:
        """Rows of the tableau; an FSAL method evaluates one less in each step."""
        return len(self.b)

    @property
    def is_pair(self) -> bool:
        """Whether the method has an embedded error estimate of its own, made of its own stages."""
        return self.b_low is not None and len(self.b_low) == self.stages

    @cached_property
    def fsal(self) -> bool:
        """First same as last: the last stage is the slope at the end of the step, so the next step starts with it."""
        return self.stages > 1 and self.b[-1] == 0 and self.c[-1] == 1 and self.a[-1] == self.b[:-1]

    @cached_property
    def error_weights(self) -> tuple[Fraction, ...] | None:
        """The weights b − b_low: one per stage and one for the slope at the end of the step; None without an estimate.

        An FSAL method's last stage *is* that slope, and has weight 0 here.
        """
        if self.b_low is None:
            return None
        padded = [*self.b, Fraction(0)]
        low = [*self.b_low, *[Fraction(0)] * (len(padded) - len(self.b_low))]
        weights = [high - other for high, other in zip(padded, low, strict=True)]
        if self.fsal:
            weights[-2:] = [Fraction(0), weights[-2] + weights[-1]]
        return tuple(weights)

    def live_stages(self, *, estimate: bool = False) -> tuple[int, ...]:
        """The stages that the solution, and the estimate where asked for, depend on."""
        weights = [*self.b]
        if estimate and self.error_weights is not None:
            weights = [abs(b) + abs(e) for b, e in zip(self.b, self.error_weights, strict=False)]
        needed = {stage for stage, weight in enumerate(weights) if weight}
        for stage in reversed(range(self.stages)):
            if stage in needed:
                needed |= {before for before, weight in enumerate(self.a[stage]) if weight}
        return tuple(sorted(needed))

    def evaluations(self, steps: int, *, estimate: bool = False) -> int:
        """Evaluations of f in so many steps. A slope at the end of a step is the first stage of the next one."""
        live = self.live_stages(estimate=estimate)
        weights = self.error_weights
        ends = 0 if not estimate or weights is None or not weights[-1] else 1 if 0 in live else steps
        return len(live) * steps + ends

    def _exact(self, values: Iterable[Fraction | float]) -> tuple[Fraction, ...]:
        try:
            return tuple(Fraction(value) for value in values)
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            raise ExportError(f"tableau '{self.name}' holds a coefficient that is no number ({error})") from error

    def _check_shape(self) -> None:
        if not len(self.a) == len(self.b) == len(self.c) or not self.b:
            raise ExportError(f"tableau '{self.name}': a, b and c must have one entry per stage")
        for stage, row in enumerate(self.a):
            if len(row) != stage:
                raise ExportError(
                    f"tableau '{self.name}' is not explicit: row {stage} of a must have {stage} entries, not {len(row)}"
                )
        if (self.b_low is None) != (self.low_order is None):
            raise ExportError(f"tableau '{self.name}': b_low and low_order are given together or not at all")
        if self.b_low is not None and len(self.b_low) - self.stages not in (0, 1):
            raise ExportError(
                f"tableau '{self.name}': b_low must have {self.stages} weights, one per stage, "
                f"or one more for the slope at the step's end, not {len(self.b_low)}"
            )

    def _check_sums(self) -> None:
        for stage, (row, place) in enumerate(zip(self.a, self.c, strict=True)):
            if abs(sum(row, Fraction()) - place) > TOLERANCE:
                raise ExportError(
                    f"tableau '{self.name}': row {stage} sums to {float(sum(row)):.12g}, but c is {float(place):.12g}"
                )
        for field, weights in (("b", self.b), ("b_low", self.b_low)):
            if weights is not None and abs(sum(weights, Fraction()) - 1) > TOLERANCE:
                raise ExportError(
                    f"tableau '{self.name}': the weights {field} sum to {float(sum(weights)):.12g}, not 1"
                )

    def _check_order(
        self, field: str, a: Sequence[Sequence[Fraction]], weights: Sequence[Fraction], order: int
    ) -> None:
        if not 1 <= order <= HIGHEST_ORDER:
            raise ExportError(f"tableau '{self.name}': orders from 1 to {HIGHEST_ORDER} can be proved, not {order}")
        for broken in broken_conditions(a, weights, range(1, order + 1), TOLERANCE):
            raise ExportError(f"tableau '{self.name}': {field} is not of order {order}: {broken}")
