"""Exponential moving average of a network's weights: what is validated, saved and shipped."""

from __future__ import annotations

import copy

import torch
from torch import nn


class MovingAverage:
    """A copy of a network that follows it slowly.

    The average starts as a plain mean and reaches `decay` later, so that early epochs are not ruled by random weights;
    a network that is `trained` already has none.
    """

    def __init__(self, model: nn.Module, decay: float, *, trained: bool = False) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.updates = round(10 / (1 - decay)) if trained else 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move towards the weights and buffers of `model`."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for own, other in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True):
            if own.dtype.is_floating_point:
                own.lerp_(other, 1 - decay)
            else:
                own.copy_(other)
