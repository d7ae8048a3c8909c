"""The order at which each method's error falls on the ODE blocks of a trained model, over real pictures, in float64.

Example: python -m hemonode.benchmarks.block_slopes best.ckpt --data bccd --root ../shared/data/bccd
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hemonode.errors import HemonodeError
from hemonode.export.frames import Preparation, PreparedFrame, spread_frames
from hemonode.export.manifest import MINIMUM_PX
from hemonode.export.settings import integrating
from hemonode.export.tableau import TABLEAUS, Tableau
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.metrics.run import open_datasets
from hemonode.train.models.integrators import Adaptive
from hemonode.train.models.nodes_unet import STRIDE
from hemonode.train.models.ode_block import Dynamics, ODEBlock
from hemonode.train.models.table import ode_blocks

STEPS = (1, 2, 4, 8, 16)
REFERENCE = 1e-10
"""Tolerance of the adaptive solver that errors are measured against."""
FLOOR = 1e-9
"""Below it an error is the reference's."""


class Start(NamedTuple):
    """h(0) and the reference's h(1) of a block on one picture, float64."""

    h0: Tensor
    end: Tensor


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", required=True, help="a dataset.toml, or a shipped one's name")
    parser.add_argument("--root", type=Path, required=True, help="the data set's folder")
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--side", type=int, default=MINIMUM_PX, help="pixels of the square that each is cut to")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    try:
        checkpoint = load_checkpoint(options.checkpoint)
        recipe, model = checkpoint.recipe, checkpoint.build_model()
        prepare = Preparation(recipe.scale.red_cell_px, recipe.preprocessing, STRIDE, MINIMUM_PX)
        (dataset,) = open_datasets([options.data], [options.root])
        frames = spread_frames(dataset, options.pictures, prepare)
        print(f"{recipe.model.ode_activation}, {len(frames)} pictures of {options.data}, centre {options.side} px\n")
        _print_table(model, frames, options.side)
    except HemonodeError as error:
        sys.exit(f"block_slopes: {error}")


def _print_table(model: nn.Module, frames: Sequence[PreparedFrame], side: int) -> None:
    starts = _starts(model, frames, side)
    blocks = {block.position: _exact(block) for block in ode_blocks(model)}
    print(f"Slope of the worst picture's error: from 1 step to 2; at the last halving above {FLOOR:g} (error there).\n")
    print(f"| method | order | {' | '.join(f'block {position}' for position in blocks)} |")
    print(f"|---|---{'|---' * len(blocks)}|")
    for tableau in TABLEAUS.values():
        cells = (_cell(tableau, dynamics, starts[position]) for position, dynamics in blocks.items())
        print(f"| {tableau.name} | {tableau.order} | {' | '.join(cells)} |", flush=True)


def _starts(model: nn.Module, frames: Sequence[PreparedFrame], side: int) -> dict[int, list[Start]]:
    blocks = ode_blocks(model)
    starts: dict[int, list[Start]] = {block.position: [] for block in blocks}

    def keep(block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(block, ODEBlock)
        h0 = inputs[0].double()
        starts[block.position].append(Start(h0, Adaptive(REFERENCE)(_exact(block), h0)))

    hooks = [block.register_forward_pre_hook(keep) for block in blocks]
    with integrating(model, {block.position: Adaptive(block.tolerance) for block in blocks}):
        for frame in frames:
            top, left = (max(length - side, 0) // 2 for length in frame.pixels.shape[:2])
            pixels = torch.from_numpy(frame.pixels[top : top + side, left : left + side])
            model(pixels.permute(2, 0, 1)[None].float())
    for hook in hooks:
        hook.remove()
    return starts


def _exact(block: ODEBlock) -> Dynamics:
    return copy.deepcopy(block.dynamics).double()


def _cell(tableau: Tableau, dynamics: Dynamics, starts: Sequence[Start]) -> str:
    errors = list(_errors(tableau, dynamics, starts))
    slopes = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    return f"{slopes[0]:.2f}, {slopes[-1]:.2f} ({errors[-1]:.1e})"


def _errors(tableau: Tableau, dynamics: Dynamics, starts: Sequence[Start]) -> Iterator[float]:
    """Of the worst picture, ‖h − h_ref‖ / ‖h_ref − h(0)‖, for 1 step, 2, 4, … down to the reference's own error."""
    for steps in STEPS:
        solver = Unrolled(tableau, uniform_grid(steps))
        worst = max(_error(solver(dynamics, start.h0), start) for start in starts)
        if worst < FLOOR and steps > STEPS[1]:
            return
        yield worst


def _error(end: Tensor, start: Start) -> float:
    return float((end - start.end).norm() / (start.end - start.h0).norm())


if __name__ == "__main__":
    main()
