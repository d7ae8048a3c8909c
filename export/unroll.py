"""Fixed-step Runge-Kutta as straight-line arithmetic: one loop that drives both torch and the ONNX writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn

from hemonode.errors import ExportError
from hemonode.export.tableau import Tableau

State = TypeVar("State")
Slope = TypeVar("Slope")


def uniform_grid(steps: int) -> tuple[float, ...]:
    """`steps` equal steps from 0 to 1.

    Raises:
        ExportError: fewer than one step.
    """
    if steps < 1:
        raise ExportError(f"a solver needs at least one step, not {steps}")
    return tuple(index / steps for index in range(steps + 1))


def integrate(
    tableau: Tableau,
    grid: Sequence[float],
    h0: State,
    slope: Callable[[float, State], Slope],
    advance: Callable[[State, Sequence[tuple[float, Slope]]], State],
) -> State:
    """The state at the end of the grid, whatever a state is: a tensor, or a value of a graph that is being written.

    Args:
        tableau: the Runge-Kutta method.
        grid: rising times.
        h0: state at the start of the grid.
        slope: f(t, h).
        advance: (h, [(weight, k), …]) → h + Σ weight·k; weights are never 0.
    """
    state = h0
    for start, end in pairwise(grid):
        step = end - start
        slopes: list[Slope] = []
        for place, row in zip(tableau.c, tableau.a, strict=True):
            slopes.append(slope(start + place * step, _combine(state, step, row, slopes, advance)))
        state = _combine(state, step, tableau.b, slopes, advance)
    return state


def _combine(
    state: State,
    step: float,
    weights: Sequence[float],
    slopes: Sequence[Slope],
    advance: Callable[[State, Sequence[tuple[float, Slope]]], State],
) -> State:
    terms = [(step * weight, slope) for weight, slope in zip(weights, slopes, strict=True) if weight]
    return advance(state, terms) if terms else state


def _rises(grid: Sequence[float]) -> bool:
    # NaN rises nowhere.
    return all(end > start for start, end in pairwise(grid))


class Unrolled:
    """An integrator for an ODE block: one tableau on one time grid, the same weights in every step.

    Args:
        tableau: the Runge-Kutta method.
        grid: rising times from 0 to 1; need not be uniform.

    Raises:
        ExportError: the grid does not rise from 0 to 1.
    """

    def __init__(self, tableau: Tableau, grid: Sequence[float]) -> None:
        if len(grid) < 2 or grid[0] != 0 or grid[-1] != 1 or not _rises(grid):
            raise ExportError(f"a time grid must rise from 0 to 1, unlike {tuple(grid)}")
        self.tableau = tableau
        self.grid = tuple(float(time) for time in grid)

    @property
    def evaluations(self) -> int:
        """Evaluations of f for one pass (NFE)."""
        return self.tableau.stages * (len(self.grid) - 1)

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """State at t = 1, in h0's dtype; sums are taken in float32, or float64 where h0 is."""

        def slope(time: float, state: Tensor) -> Tensor:
            k: Tensor = dynamics(torch.as_tensor(time, dtype=state.dtype, device=state.device), state)
            return k

        state = h0 if h0.dtype == torch.float64 else h0.float()
        return integrate(self.tableau, self.grid, state, slope, _advance).to(h0.dtype)


def _advance(state: Tensor, terms: Sequence[tuple[float, Tensor]]) -> Tensor:
    for weight, slope in terms:
        state = state + weight * slope.to(state.dtype)
    return state
