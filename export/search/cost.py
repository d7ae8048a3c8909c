"""What a solver costs in a block: so much per evaluation of f, and a little per term of the Runge-Kutta sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hemonode.export.search.network import Network
from hemonode.export.settings import integrating
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.train.models.nodes_unet import STRIDE
from hemonode.train.models.ode_block import ODEBlock


@dataclass(frozen=True)
class Cost:
    """A linear model of the cost of a block's solver.

    Attributes:
        unit: what is counted, as a person would say it.
        per_evaluation: of f, by position.
        per_term: one weight · slope added to a state, by position.
    """

    unit: str
    per_evaluation: Mapping[int, float]
    per_term: Mapping[int, float]

    def __call__(self, position: int, solver: Unrolled) -> float:
        """Cost of one pass of a solver in the block at that position."""
        return self.per_evaluation[position] * solver.evaluations + self.per_term[position] * terms(solver)

    def in_tenths(self, position: int, solver: Unrolled) -> int:
        """The same in tenths of an evaluation, rounded: a term or two is no reason to choose a solver."""
        return round(10 * self(position, solver) / self.per_evaluation[position])


def terms(solver: Unrolled) -> int:
    """Terms weight · slope that one pass adds up."""
    scheme = solver.scheme
    rows = [*(stage.row for stage in scheme.stages), scheme.solution, scheme.error]
    return sum(len(row.weights) for row in rows) * (len(solver.grid) - 1)


def multiply_adds(network: Network) -> Cost:
    """Multiply-adds per pixel of the network's input: of the convolutions in f, and of the sums."""
    shapes: dict[int, torch.Size] = {}

    def keep(block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(block, ODEBlock)
        shapes[block.position] = inputs[0].shape

    blocks = network.blocks
    hooks = [block.register_forward_pre_hook(keep) for block in blocks.values()]
    quick = Unrolled(TABLEAUS["euler"], uniform_grid(1))
    try:
        with torch.no_grad(), integrating(network.model, dict.fromkeys(blocks, quick)):
            network.model(torch.zeros(1, 3, 2 * STRIDE, 2 * STRIDE))
    finally:
        for hook in hooks:
            hook.remove()
    area = (2 * STRIDE) ** 2
    places = {position: shape[-2] * shape[-1] / area for position, shape in shapes.items()}
    return Cost(
        unit="multiply-adds per pixel",
        per_evaluation={position: _convolutions(blocks[position]) * share for position, share in places.items()},
        per_term={position: shapes[position][1] * share for position, share in places.items()},
    )


def _convolutions(block: ODEBlock) -> int:
    return sum(part.weight.numel() for part in block.dynamics.modules() if isinstance(part, nn.Conv2d))
