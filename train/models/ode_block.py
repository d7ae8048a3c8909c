"""The ODE block: a stage of the network whose depth is a differential equation (Chen et al. 2018, Li et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hemonode.train.models.config import Activation
from hemonode.train.models.integrators import Adaptive, Integrator

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
}


class Dynamics(nn.Module):
    """f(t, h): 3×3 convolutions with an activation between them, and time as a bias t·w on each.

    The bias equals a concatenated time plane padded with t, and folds into the convolution's bias at export.
    There is no normalisation inside f: it would be paid at each evaluation, and is the known FP16 hazard.

    Attributes:
        evaluations: calls since it was last set to 0 (NFE).
    """

    def __init__(self, channels: int, convs: int, activation: Activation) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(convs))
        self.time_weights = nn.ParameterList(nn.Parameter(torch.zeros(channels)) for _ in range(convs))
        self.activation = ACTIVATIONS[activation]()
        self.evaluations = 0
        # A block that starts as the identity lets the U-Net around it learn first.
        last = self.convs[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.zeros_(last.bias)

    def forward(self, t: Tensor, h: Tensor) -> Tensor:
        """dh/dt at time t (scalar) for the state h [N, C, H, W]; returned in h's dtype."""
        self.evaluations += 1
        k = h
        for index, (conv, weight) in enumerate(zip(self.convs, self.time_weights, strict=True)):
            if index:
                k = self.activation(k)
            k = conv(k) + (t * weight).to(k.dtype)[:, None, None]
        return k.to(h.dtype)


class ODEBlock(nn.Module):
    """h(0) → h(1) under `dynamics`, by whatever integrator is in place; keeps shape and channels.

    Attributes:
        position: 1 to 9 in the network.
        tolerance: the adaptive solver's, and what any other integrator is measured against.
        integrator: exchanged for fixed steps in training, and for the unrolled solver at export.
    """

    def __init__(self, channels: int, position: int, tolerance: float, convs: int, activation: Activation) -> None:
        super().__init__()
        self.position = position
        self.tolerance = tolerance
        self.dynamics = Dynamics(channels, convs, activation)
        self.integrator: Integrator = Adaptive(tolerance)

    def forward(self, h: Tensor) -> Tensor:
        """State at t = 1 for the state [N, C, H, W] at t = 0."""
        return self.integrator(self.dynamics, h)
