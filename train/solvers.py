"""Which solver integrates the ODE blocks at a training step."""

from __future__ import annotations

import numpy as np
from torch import nn

from hemonode.errors import RecipeError
from hemonode.train.models.integrators import Adaptive, FixedStep, Integrator
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.pair_steps import PAIRS, PairSteps
from hemonode.train.models.table import ode_blocks

FIXED_METHODS = ("euler", "midpoint", "rk4")
ADAPTIVE = "dopri5"


def check_solver(name: str) -> None:
    """Refuse a solver that training cannot use.

    Raises:
        RecipeError: neither "dopri5" nor METHOD:STEPS of a known method.
    """
    method, _, steps = name.partition(":")
    known_methods = (*FIXED_METHODS, *PAIRS)
    if name != ADAPTIVE and (method not in known_methods or not steps.isdigit() or int(steps) < 1):
        known = ", ".join(known_methods)
        raise RecipeError(f"solver '{name}' is unknown: use '{ADAPTIVE}', or METHOD:STEPS with a method of {known}")


def use_solver(model: nn.Module, name: str, *, adjoint: bool = False, end_time: float = 1.0) -> None:
    """Let every ODE block of a model integrate by the named solver, up to `end_time`."""
    check_solver(name)
    for block in ode_blocks(model):
        block.integrator = _integrator(block, name, adjoint, end_time)


def _integrator(block: ODEBlock, name: str, adjoint: bool, end_time: float) -> Integrator:
    if name == ADAPTIVE:
        return Adaptive(block.tolerance, adjoint=adjoint, end_time=end_time)
    method, _, steps = name.partition(":")
    kind = PairSteps if method in PAIRS else FixedStep
    return kind(method, int(steps), end_time=end_time)


def draw_end_time(jitter: float, seed: int, step: int) -> float:
    """A training step's end time, uniform in 1 ± jitter (Ghosh et al. 2020, STEER); the same when training resumes."""
    return 1.0 + jitter * float(np.random.default_rng((seed, step, 2)).uniform(-1, 1))


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
