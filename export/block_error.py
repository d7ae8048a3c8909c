"""How far a solver's state is from the reference: over a whole picture, and where it is worst."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

TILE_PX = 32
"""Side, in pixels of the network's input, of the tiles that are looked at one by one: about one red cell."""


class BlockError(NamedTuple):
    """‖h − h_ref‖ / ‖h_ref − h(0)‖ over the whole picture, and over the tile where it is largest.

    0 where neither moves, infinite where only h does or h is not finite.
    """

    whole: float
    tile: float


def block_error(start: Tensor, end: Tensor, reference: Tensor, stride: int) -> BlockError:
    """The error of a block's end state on one picture.

    Args:
        start: h(0), [1, C, H, W].
        end: h(1) of the solver in question, same shape.
        reference: h(1) of the reference, float64, same shape.
        stride: input pixels per pixel of the state.
    """
    wrong = _squares((end.double() - reference), stride)
    moved = _squares((reference - start.double()), stride)
    return BlockError(
        whole=_ratio(float(wrong.sum()), float(moved.sum())),
        tile=max(_ratio(*pair) for pair in zip(wrong.flatten().tolist(), moved.flatten().tolist(), strict=True)),
    )


def _squares(difference: Tensor, stride: int) -> Tensor:
    """Sum of squares of each tile; those at the right and bottom edge may be cut."""
    side = max(TILE_PX // stride, 1)
    total = difference.square().sum(dim=1, keepdim=True)
    return functional.avg_pool2d(total, side, ceil_mode=True, divisor_override=1)


def _ratio(wrong: float, moved: float) -> float:
    if not math.isfinite(wrong):
        return math.inf
    if not moved:
        return math.inf if wrong else 0.0
    return math.sqrt(wrong / moved)
