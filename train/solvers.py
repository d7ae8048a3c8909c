"""Which solver integrates the ODE blocks at a training step."""

from __future__ import annotations

import numpy as np
from torch import nn

from hemonode.errors import RecipeError
from hemonode.train.models.integrators import Adaptive, FixedStep
from hemonode.train.models.table import ode_blocks

FIXED_METHODS = ("euler", "midpoint", "rk4")
ADAPTIVE = "dopri5"


def check_solver(name: str) -> None:
    """Refuse a solver that training cannot use.

    Raises:
        RecipeError: neither "dopri5" nor METHOD:STEPS of a known method.
    """
    method, _, steps = name.partition(":")
    if name != ADAPTIVE and (method not in FIXED_METHODS or not steps.isdigit() or int(steps) < 1):
        known = ", ".join(FIXED_METHODS)
        raise RecipeError(f"solver '{name}' is unknown: use '{ADAPTIVE}', or METHOD:STEPS with a method of {known}")


def use_solver(model: nn.Module, name: str, *, adjoint: bool = False) -> None:
    """Let every ODE block of a model integrate by the named solver."""
    check_solver(name)
    for block in ode_blocks(model):
        if name == ADAPTIVE:
            block.integrator = Adaptive(block.tolerance, adjoint=adjoint)
        else:
            method, _, steps = name.partition(":")
            block.integrator = FixedStep(method, int(steps))


def draw_solver(names: tuple[str, ...], seed: int, step: int) -> str:
    """The solver of a step: random, but the same again when training resumes."""
    return names[int(np.random.default_rng((seed, step, 1)).integers(len(names)))]


def evaluations(model: nn.Module) -> dict[int, int]:
    """Function evaluations of each ODE block since the last call, by position; the counters restart at 0."""
    counts = {}
    for block in ode_blocks(model):
        counts[block.position] = block.dynamics.evaluations
        block.dynamics.evaluations = 0
    return counts
