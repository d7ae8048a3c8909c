"""The steps that the adaptive solver takes: a grid on which unrolled dopri5 is that solver at that tolerance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hemonode.train.models.integrators import Adaptive


class _Watched(nn.Module):
    """Passes calls through, and notes where the accepted steps begin: torchdiffeq calls these names."""

    def __init__(self, dynamics: nn.Module) -> None:
        super().__init__()
        self.dynamics = dynamics
        self.starts: list[float] = []

    def forward(self, t: Tensor, h: Tensor) -> Tensor:
        k: Tensor = self.dynamics(t, h)
        return k

    def callback_accept_step(self, t0: Tensor, _state: Tensor, _step: Tensor) -> None:
        self.starts.append(float(t0))


def accepted_grid(dynamics: nn.Module, h0: Tensor, tolerance: float) -> tuple[float, ...]:
    """The times, rising from 0 to 1, between which dopri5 steps at this tolerance (rtol and atol).

    Args:
        dynamics: f(t, h).
        h0: state at t = 0, [N, C, H, W]; the error norm is taken over the batch, so one image gives its own grid.
        tolerance: rtol and atol of dopri5, whose last step ends at 1 (`step_t`).

    Raises:
        SolverError: no step is small enough.
    """
    watched = _Watched(dynamics)
    with torch.no_grad():
        Adaptive(tolerance)(watched, h0)
    return (*watched.starts, 1.0)
