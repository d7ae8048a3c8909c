"""Fixed-step Runge-Kutta as straight-line arithmetic: one loop that drives both torch and the ONNX writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from hemonode.errors import ExportError, SolverError
from hemonode.export.scheme import Scheme, Terms
from hemonode.export.tableau import Tableau

State = TypeVar("State")
Slope = TypeVar("Slope")


class Solution(NamedTuple):
    """What a solver gives: h(1) in h(0)'s dtype, and the local error float32 [N], or None without an estimate.

    The local error is that of the worst step, in the adaptive solver's own norm, for each image: the root mean square
    over its elements of error / (atol + rtol · max(|h before|, |h after|)). torchdiffeq's dopri5 accepts a step where
    this is at most 1, so at most 1 means that it would have accepted every step of this grid.
    """

    end: Tensor
    local_error: Tensor | None


def uniform_grid(steps: int) -> tuple[float, ...]:
    """`steps` equal steps from 0 to 1.

    Raises:
        ExportError: fewer than one step.
    """
    if steps < 1:
        raise ExportError(f"a solver needs at least one step, not {steps}")
    return tuple(index / steps for index in range(steps + 1))


def integrate(
    scheme: Scheme,
    grid: Sequence[float],
    h0: State,
    slope: Callable[[float, State], Slope],
    advance: Callable[[State, Terms[Slope]], State],
    measure: Callable[[State, State, float, Terms[Slope]], None] | None = None,
) -> State:
    """The state at the end of the grid, whatever a state is: a tensor, or a value of a graph that is being written.

    Args:
        scheme: the Runge-Kutta method.
        grid: rising times.
        h0: state at the start of the grid.
        slope: f(t, h).
        advance: (h, [(weight, k), …]) → h + Σ weight·k; weights are never 0.
        measure: told of each step (h before, h after, Δt, [(weight, k), …]), whose local error is Δt·Σ weight·k.
    """
    state = h0
    first: Slope | None = None
    for start, end in pairwise(grid):
        slopes: dict[int, Slope] = {}
        for stage in scheme.stages:
            if stage.index == 0 and first is not None:
                slopes[0] = first
                continue
            at = advance(state, stage.row.terms(end - start, slopes)) if stage.row.weights else state
            slopes[stage.index] = slope(stage.time(start, end), at)
        after = advance(state, scheme.solution.terms(end - start, slopes))
        if measure is not None:
            if scheme.needs_end_slope:
                first = slopes[scheme.end] = slope(end, after)
            measure(state, after, end - start, scheme.error.terms(1, slopes))
        state = after
    return state


def _rises(grid: Sequence[float]) -> bool:
    # NaN rises nowhere.
    return all(end > start for start, end in pairwise(grid))


class Unrolled:
    """An integrator for an ODE block: one tableau on one time grid, the same weights in every step.

    Args:
        tableau: the Runge-Kutta method.
        grid: rising times from 0 to 1; need not be uniform.
        estimate: whether the local error is estimated, too.

    Raises:
        ExportError: the grid does not rise from 0 to 1, or the tableau has nothing to estimate with.
    """

    def __init__(self, tableau: Tableau, grid: Sequence[float], *, estimate: bool = False) -> None:
        if len(grid) < 2 or grid[0] != 0 or grid[-1] != 1 or not _rises(grid):
            raise ExportError(f"a time grid must rise from 0 to 1, unlike {tuple(grid)}")
        if estimate and tableau.b_low is None:
            raise ExportError(f"tableau '{tableau.name}' has no second solution to estimate errors by: give it b_low")
        self.tableau = tableau
        self.grid = tuple(float(time) for time in grid)
        self.estimate = estimate
        self.scheme = Scheme(tableau, estimate=estimate)
        self._plain = Scheme(tableau, estimate=False) if estimate else self.scheme

    @property
    def evaluations(self) -> int:
        """Evaluations of f for one pass (NFE), those that only the estimate needs included."""
        return self.tableau.evaluations(len(self.grid) - 1, estimate=self.estimate)

    @property
    def price_of_estimate(self) -> int:
        """How many of the evaluations only the estimate needs."""
        return self.evaluations - self.tableau.evaluations(len(self.grid) - 1)

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """State at t = 1, in h0's dtype, without the estimate; sums are taken in float32, or float64 where h0 is."""
        return integrate(self._plain, self.grid, _wide(h0), _slope_of(dynamics), _advance).to(h0.dtype)

    def solve(self, dynamics: nn.Module, h0: Tensor, *, rtol: float, atol: float) -> Solution:
        """State at t = 1 and, where this solver estimates, the local error of each image.

        Args:
            dynamics: f(t, h).
            h0: state at t = 0, [N, …].
            rtol: relative tolerance that scales the local error.
            atol: absolute tolerance that scales it.

        Raises:
            SolverError: the state is not finite at t = 1.
        """
        worst: list[Tensor] = []

        def measure(before: Tensor, after: Tensor, step: float, terms: Terms[Tensor]) -> None:
            error = step * _advance(torch.zeros_like(before), terms)
            scale = atol + rtol * torch.maximum(before.abs(), after.abs())
            worst.append((error / scale).flatten(1).square().mean(1))

        end = integrate(
            self.scheme, self.grid, _wide(h0), _slope_of(dynamics), _advance, measure if self.estimate else None
        )
        if not bool(torch.isfinite(end).all()):
            raise SolverError(
                f"{self.tableau.name} in {len(self.grid) - 1} steps ends in a state that is not finite: "
                "take smaller steps, or train with a lower learning rate"
            )
        return Solution(end.to(h0.dtype), torch.stack(worst).amax(0).sqrt().float() if worst else None)


def _wide(state: Tensor) -> Tensor:
    return state if state.dtype == torch.float64 else state.float()


def _slope_of(dynamics: nn.Module) -> Callable[[float, Tensor], Tensor]:
    def slope(time: float, state: Tensor) -> Tensor:
        k: Tensor = dynamics(torch.as_tensor(time, dtype=state.dtype, device=state.device), state)
        return k

    return slope


def _advance(state: Tensor, terms: Terms[Tensor]) -> Tensor:
    for weight, slope in terms:
        state = state + weight * slope.to(state.dtype)
    return state
