"""How few evaluations a tolerance needs, and how accurate the model is: one row per checkpoint, to compare trainings.

Run: python -m hemonode.benchmarks.cheap_dynamics CKPT [CKPT …] --data-root DIR [--tolerance 1e-3] [--pictures 24]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from hemonode.errors import HemonodeError, SolverError
from hemonode.export.block_error import block_error
from hemonode.export.reference import REFERENCE_SHARE
from hemonode.export.search.candidates import label, uniform_candidates
from hemonode.export.search.exact import Exact
from hemonode.export.settings import integrating
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.train.augment import WorkingSample
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.data.spread import spread
from hemonode.train.models.integrators import Adaptive
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import ode_blocks
from hemonode.train.recipe import Recipe, find_recipe
from hemonode.train.run import countable_ids, read_tune_samples
from hemonode.train.validate import predict, validate

BUDGET = 40
"""Evaluations of f in one block; no row needs more in practice."""
SIDE_PX = 256
ACCURACY_SOLVER = ("rk4", 2)


@dataclass(frozen=True)
class Start:
    """h(0) of a block on one picture, and the reference's h(1)."""

    h0: Tensor
    end: Tensor
    stride: int


@dataclass(frozen=True)
class Need:
    """The cheapest solver of a block whose error stays below the tolerance on every picture."""

    solver: str
    evaluations: int
    error: float
    adaptive: float
    """Mean evaluations of dopri5 at the same tolerance."""


@torch.no_grad()
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CKPT")
    parser.add_argument("--recipe", default="first_light", help="whose pictures to measure on")
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument(
        "--pictures", type=int, default=24, help="for the solvers; accuracy takes all of the tune split"
    )
    options = parser.parse_args()
    recipe_path = find_recipe(options.recipe)
    try:
        tune: list[WorkingSample] | None = None
        print(f"| model | NFE that {options.tolerance:g} needs | by block | dopri5's NFE | rk4's slope | MIoU | F1 |")
        print("|---|---|---|---|---|---|---|")
        for path in options.checkpoints:
            checkpoint = load_checkpoint(path)
            if tune is None:
                tune = read_tune_samples(checkpoint.recipe, recipe_path, options.data_root)
            print(_row(path, checkpoint.recipe, checkpoint.build_model(), tune, options), flush=True)
    except HemonodeError as error:
        parser.exit(1, f"{error}\n")


def _row(
    path: Path, recipe: Recipe, model: nn.Module, tune: Sequence[WorkingSample], options: argparse.Namespace
) -> str:
    samples = [_centre(sample) for sample in spread(tune, options.pictures)]
    starts = _starts(model, recipe, samples, options.tolerance)
    needs = {block.position: _need(block, starts[block.position], options.tolerance) for block in ode_blocks(model)}
    slopes = {block.position: _slope(block, starts[block.position]) for block in ode_blocks(model)}
    method, steps = ACCURACY_SOLVER
    solver = Unrolled(TABLEAUS[method], uniform_grid(steps))
    # Over all pictures at full size: in bfloat16, as training validates, the row takes minutes less.
    bfloat16 = torch.autocast("cpu", torch.bfloat16)
    with bfloat16, integrating(model, {block.position: solver for block in ode_blocks(model)}):
        accuracy = validate(model, list(tune), recipe, countable_ids(recipe))
    by_block = ", ".join(f"{position}: {need.solver} ({need.error:.1e})" for position, need in needs.items())
    f1 = " ".join(f"{key}:{value:.3f}" for key, value in accuracy.f1.items())
    return (
        f"| {path.parent.name}/{path.name} | {sum(need.evaluations for need in needs.values())} | {by_block} "
        f"| {sum(need.adaptive for need in needs.values()):.1f} "
        f"| {' '.join(f'{slope:.1f}' for slope in slopes.values())} | {accuracy.miou:.4f} | {f1} |"
    )


def _centre(sample: WorkingSample) -> WorkingSample:
    """The middle of a picture: the float64 reference of a whole slide view would take a minute."""
    top, left = (max(side - SIDE_PX, 0) // 2 for side in sample.pixels.shape[:2])
    return replace(sample, pixels=sample.pixels[top : top + SIDE_PX, left : left + SIDE_PX])


def _starts(
    model: nn.Module, recipe: Recipe, samples: Sequence[WorkingSample], tolerance: float
) -> dict[int, list[Start]]:
    """Where every block starts on every picture when the blocks before it are solved closely."""
    blocks = ode_blocks(model)
    starts: dict[int, list[Start]] = {block.position: [] for block in blocks}

    def keep(block: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        assert isinstance(block, ODEBlock)
        exact = Exact(REFERENCE_SHARE * tolerance).solve(block.dynamics, inputs[0], in_float64=True)
        starts[block.position].append(Start(inputs[0], exact, _stride(block.position)))

    hooks = [block.register_forward_hook(keep) for block in blocks]
    with integrating(model, {block.position: Adaptive(REFERENCE_SHARE * tolerance) for block in blocks}):
        for sample in samples:
            predict(model, sample, recipe, countable_ids(recipe))
    for hook in hooks:
        hook.remove()
    return starts


def _stride(position: int) -> int:
    """Input pixels per pixel of a block's state: 1 at both ends of the U, 16 at its bottom."""
    return 16 >> abs(5 - position)


def _need(block: ODEBlock, starts: Sequence[Start], tolerance: float) -> Need:
    adaptive = _adaptive_evaluations(block, starts, tolerance)
    for solver in _candidates():
        error = _worst(block, starts, solver, tolerance)
        if error <= tolerance:
            return Need(label(solver), solver.evaluations, error, adaptive)
    raise SolverError(
        f"no method reaches {tolerance:g} at block {block.position} within {BUDGET} evaluations: try a larger tolerance"
    )


def _candidates() -> list[Unrolled]:
    solvers = uniform_candidates(TABLEAUS.values(), BUDGET, estimate=False)
    # Of equally dear ones the higher order is likelier to do.
    return sorted(solvers, key=lambda solver: (solver.evaluations, -solver.tableau.order))


def _worst(block: ODEBlock, starts: Sequence[Start], solver: Unrolled, limit: float = math.inf) -> float:
    worst = 0.0
    for start in starts:
        worst = max(worst, block_error(start.h0, solver(block.dynamics, start.h0), start.end, start.stride).whole)
        if worst > limit:
            break
    return worst


def _adaptive_evaluations(block: ODEBlock, starts: Sequence[Start], tolerance: float) -> float:
    before = block.dynamics.evaluations
    for start in starts:
        Adaptive(tolerance)(block.dynamics, start.h0)
    return (block.dynamics.evaluations - before) / len(starts)


def _slope(block: ODEBlock, starts: Sequence[Start]) -> float:
    """Of rk4's error from one step to two: 4 where the dynamics are smooth at that length, in powers of the step."""
    once, twice = (_worst(block, starts, Unrolled(TABLEAUS["rk4"], uniform_grid(steps))) for steps in (1, 2))
    return math.log2(once / twice)


if __name__ == "__main__":
    main()
