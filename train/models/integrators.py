"""Ways to integrate an ODE block from t = 0 to 1 during training: adaptive, as the paper does, or in fixed steps."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torchdiffeq import odeint, odeint_adjoint

from hemonode.errors import SolverError


class Integrator(Protocol):
    """Solves dh/dt = f(t, h) from t = 0 to 1 and returns h(1), of h(0)'s shape and dtype."""

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """h(1)."""
        ...


class Adaptive:
    """torchdiffeq's dopri5 at one tolerance, in float32 whatever autocast says.

    Under bfloat16 the rounding of f exceeds any useful tolerance, and the step size would collapse.

    Args:
        tolerance: rtol and atol of the solver.
        adjoint: solve backwards for the gradient (constant memory) instead of keeping every stage.
        end_time: where to stop; 1 but for training with random end times.
    """

    def __init__(self, tolerance: float, *, adjoint: bool = False, end_time: float = 1.0) -> None:
        self.tolerance = tolerance
        self.adjoint = adjoint
        self.end_time = end_time

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """h(end_time).

        Raises:
            SolverError: no step is small enough.
        """
        solve = odeint_adjoint if self.adjoint else odeint
        with torch.autocast(h0.device.type, enabled=False):
            state = h0 if h0.dtype == torch.float64 else h0.float()
            # `step_t` makes the last accepted step end there; otherwise f is evaluated beyond and interpolated back.
            try:
                path: Tensor = solve(
                    dynamics,
                    state,
                    torch.tensor([0.0, self.end_time], dtype=state.dtype, device=state.device),
                    rtol=self.tolerance,
                    atol=self.tolerance,
                    method="dopri5",
                    options={"step_t": torch.tensor([self.end_time], dtype=state.dtype, device=state.device)},
                )
            except AssertionError as error:  # torchdiffeq's way to say that no step is small enough
                raise SolverError(
                    f"dopri5 cannot keep a tolerance of {self.tolerance:g} ({error}): the dynamics are not finite or "
                    "too stiff; train with a lower learning rate, or loosen the tolerance"
                ) from error
        return path[-1].to(h0.dtype)


class FixedStep:
    """Equal steps of one of torchdiffeq's fixed-step methods ("euler", "midpoint", "rk4": its 3/8 rule).

    The state stays float32; f runs in whatever autocast chooses, which is what makes training in bfloat16 fast.
    """

    def __init__(self, method: str, steps: int, *, end_time: float = 1.0) -> None:
        self.method = method
        self.steps = steps
        self.end_time = end_time

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """h(end_time)."""
        state = h0.float()
        times = torch.linspace(0.0, self.end_time, self.steps + 1, device=state.device)
        path: Tensor = odeint(dynamics, state, times, method=self.method)
        return path[-1].to(h0.dtype)
