"""Equal steps of an embedded Runge-Kutta pair, which leave the pair's own estimate of the local error behind."""

from __future__ import annotations

import scipy.integrate
import torch
from torch import Tensor, nn

PAIRS = {"bs3": scipy.integrate.RK23, "dopri5": scipy.integrate.RK45}
"""Bogacki-Shampine 3(2) and Dormand-Prince 5(4), with scipy's coefficients."""


class PairSteps:
    """A pair's equal steps from t = 0 to `end_time`. The state stays float32, f runs in whatever autocast chooses.

    In bfloat16 the rounding of f, 0.2 %, hides smaller local errors: Bogacki-Shampine's coarser estimate stays
    readable there, Dormand-Prince's does not.

    Attributes:
        local_error: of the last pass, [N], per image: the sum over the steps of ‖estimate‖, over ‖h(1) − h(0)‖.
    """

    def __init__(self, name: str, steps: int, *, end_time: float = 1.0) -> None:
        pair = PAIRS[name]
        self._a = [[float(value) for value in row[:stage]] for stage, row in enumerate(pair.A)]
        self._b, self._c, self._e = ([float(value) for value in row] for row in (pair.B, pair.C, pair.E))
        self.steps = steps
        self.end_time = end_time
        self.local_error: Tensor | None = None

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """h(end_time)."""
        state = start = h0.float()
        step = self.end_time / self.steps
        first = dynamics(self._time(0.0, state), state)
        errors = []
        for index in range(self.steps):
            slopes = [first]
            for row, place in zip(self._a[1:], self._c[1:], strict=True):
                slopes.append(dynamics(self._time((index + place) * step, state), _add(state, step, row, slopes)))
            state = _add(state, step, self._b, slopes)
            # Both pairs end a step where the next one starts.
            first = dynamics(self._time((index + 1) * step, state), state)
            errors.append(_norms(_add(torch.zeros_like(state), step, self._e, [*slopes, first])))
        # A block at rest has no error; the smallest move counted keeps the ratio and its gradient finite.
        moved = _norms(state - start) + 1e-3 * _norms(start) + 1e-6
        self.local_error = torch.stack(errors).sum(0) / moved
        return state.to(h0.dtype)

    @staticmethod
    def _time(value: float, state: Tensor) -> Tensor:
        return torch.as_tensor(value, dtype=state.dtype, device=state.device)


def _add(state: Tensor, step: float, weights: list[float], slopes: list[Tensor]) -> Tensor:
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            state = state + step * weight * slope
    return state


def _norms(values: Tensor) -> Tensor:
    # The root's gradient at 0 is not finite.
    return (values.flatten(1).square().sum(1) + 1e-12).sqrt()
