"""Penalties that make an ODE block's dynamics cheap to solve: few steps are then enough for a tolerance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hemonode.errors import RecipeError
from hemonode.train.models.integrators import Integrator
from hemonode.train.models.pair_steps import PAIRS, PairSteps
from hemonode.train.models.table import ode_blocks
from hemonode.train.recipe import DynamicsPart, TrainingPart


class Recorded(nn.Module):
    """f(t, h), which remembers every state and slope of one pass."""

    def __init__(self, dynamics: nn.Module) -> None:
        super().__init__()
        self.dynamics = dynamics
        self.states: list[Tensor] = []
        self.slopes: list[Tensor] = []

    def forward(self, t: Tensor, h: Tensor) -> Tensor:
        """dh/dt."""
        slope: Tensor = self.dynamics(t, h)
        self.states.append(h)
        self.slopes.append(slope)
        return slope


class Penalised:
    """An integrator that also measures what the penalties are taken of.

    Attributes:
        measured: of the last pass, each a scalar, mean over the images:
            "local_error", see `PairSteps` (Pal et al. 2021, "Opening the Blackbox": the solver's own estimate);
            "kinetic", mean of f² over evaluations and elements (Finlay et al. 2020, RNODE, equation 5);
            "jacobian", mean of (εᵀ∂f/∂h)² at one evaluation (the same, equation 6).
    """

    def __init__(self, integrator: Integrator, weights: DynamicsPart, generator: torch.Generator) -> None:
        self.integrator = integrator
        self.weights = weights
        self.measured: dict[str, Tensor] = {}
        self._generator = generator

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """What the integrator returns."""
        recorded = Recorded(dynamics)
        end = self.integrator(recorded, h0)
        self.measured = {}
        if self.weights.local_error and isinstance(self.integrator, PairSteps):
            assert self.integrator.local_error is not None
            self.measured["local_error"] = self.integrator.local_error.mean()
        if self.weights.kinetic:
            kinetic = [slope.float().square().mean() for slope in recorded.slopes]
            self.measured["kinetic"] = torch.stack(kinetic).mean()
        if self.weights.jacobian:
            self.measured["jacobian"] = self._jacobian(recorded)
        return end

    def _jacobian(self, recorded: Recorded) -> Tensor:
        chosen = int(torch.randint(len(recorded.states), (), generator=self._generator))
        state, slope = recorded.states[chosen], recorded.slopes[chosen]
        signs = torch.randint(0, 2, slope.shape, generator=self._generator).to(slope) * 2 - 1
        (product,) = torch.autograd.grad(slope, state, signs, create_graph=True)
        return product.float().square().mean()


def penalise(model: nn.Module, weights: DynamicsPart, seed: int) -> None:
    """Let every ODE block measure what is penalised during the next pass; without penalties nothing changes."""
    if not (weights.local_error or weights.kinetic or weights.jacobian):
        return
    generator = torch.Generator().manual_seed(seed)
    for block in ode_blocks(model):
        block.integrator = Penalised(block.integrator, weights, generator)


def penalty(model: nn.Module, weights: DynamicsPart) -> tuple[Tensor | float, dict[str, float]]:
    """The penalty of the last pass, summed over the blocks, and the unweighted sums by name."""
    total: Tensor | float = 0.0
    sums: dict[str, float] = {}
    for block in ode_blocks(model):
        if isinstance(block.integrator, Penalised):
            for name, value in block.integrator.measured.items():
                total = total + getattr(weights, name) * value
                sums[name] = sums.get(name, 0.0) + float(value.detach())
    return total, sums


def check_penalties(options: TrainingPart) -> None:
    """Refuse penalties that nothing would be measured for.

    Raises:
        RecipeError: a local error without an embedded pair among the solvers, or any penalty with the adjoint.
    """
    weights = options.dynamics
    if weights.local_error and not any(name.partition(":")[0] in PAIRS and ":" in name for name in options.solvers):
        pairs = ", ".join(f"{name}:1" for name in PAIRS)
        raise RecipeError(f"dynamics.local_error needs an embedded pair's estimate: add one of {pairs} to solvers")
    if options.adjoint and (weights.kinetic or weights.jacobian or weights.local_error):
        raise RecipeError("penalties on the dynamics need direct backpropagation: leave out training.adjoint")
