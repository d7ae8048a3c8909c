"""What FP16 inside f alone does to a block, whatever its solver: no tighter tolerance can be kept in FP16."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from hemonode.errors import SolverError
from hemonode.export.block_error import block_error
from hemonode.export.reference import stride_of
from hemonode.export.search.measure import Pictures
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid

PROBE = Unrolled(TABLEAUS["rk4"], uniform_grid(2))
"""Any solver shows about the same: its own error cancels in the comparison with FP32."""


def half_errors(pictures: Pictures, indices: Sequence[int]) -> dict[int, float]:
    """Largest error that FP16 arithmetic in f, on an FP32 state, makes over a picture or a tile, by block position."""
    return {
        position: max(
            pictures.recall(f"half {position}", index, partial(_half_error, pictures, position, index))[0]
            for index in indices
        )
        for position in pictures.network.blocks
    }


def _half_error(pictures: Pictures, position: int, index: int) -> tuple[float]:
    dynamics = pictures.network.blocks[position].dynamics
    states = pictures.solved(index).states[position]
    with torch.no_grad():
        wide, half = PROBE(dynamics, states.start), PROBE(rounding(dynamics), states.start)
    # What rounding adds, over the reference's movement.
    shifted = states.end + (half.double() - wide.double())
    return (max(block_error(states.start, shifted, states.end, stride_of(pictures.frames[index], states))),)


def check_half(tolerances: Sequence[float], errors: Mapping[int, float]) -> None:
    """Refuse tolerances that FP16 cannot hold.

    Raises:
        SolverError: a tolerance is below what rounding does to a block; the sentence says what FP16 can hold.
    """
    position = max(errors, key=lambda position: errors[position])
    for tolerance in tolerances:
        if tolerance < errors[position]:
            raise SolverError(
                f"a tolerance of {tolerance:g} is tighter than FP16 can hold: its rounding alone makes an error of "
                f"{errors[position]:.1e} in ODE block {position}; ask for more than that, or for fp32"
            )


def rounding(dynamics: nn.Module) -> nn.Module:
    """F as an FP16 graph computes it: weights, inputs and results of each layer go through FP16."""
    copied = copy.deepcopy(dynamics)
    for parameter in copied.parameters():
        parameter.data = _through_half(parameter.data)
    for layer in copied.modules():
        if not list(layer.children()):
            layer.register_forward_hook(_round_result)
    return _RoundedInput(copied)


class _RoundedInput(nn.Module):
    def __init__(self, dynamics: nn.Module) -> None:
        super().__init__()
        self.dynamics = dynamics

    def forward(self, t: Tensor, h: Tensor) -> Tensor:
        return _through_half(self.dynamics(t, _through_half(h)))


def _round_result(_layer: nn.Module, _inputs: Any, result: Tensor) -> Tensor:  # noqa: ANN401  (torch's own)
    return _through_half(result)


def _through_half(values: Tensor) -> Tensor:
    return values.half().to(values.dtype)
