"""The proof of a setting's ODE blocks: how far each is from the adaptive solver, and what its estimate is worth."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

from hemonode.errors import ExportError, SolverError
from hemonode.export.block_error import BlockError, block_error
from hemonode.export.reference import AdaptiveAnswer
from hemonode.export.settings import Setting
from hemonode.runtime.bundle.schema import BlockEstimate
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import ode_blocks

FEWEST_FOR_P95 = 59
FEWEST_FOR_P99 = 299
"""From so many pictures on, the largest bounds that percentile with 95 % confidence (1 − 0.95^59, 1 − 0.99^299)."""


def block_errors(model: nn.Module, setting: Setting, answers: Sequence[AdaptiveAnswer]) -> dict[int, BlockError]:
    """The largest errors of each ODE block over the pictures, by position.

    Raises:
        ExportError: a state is not finite, or the setting does not keep its tolerance.
    """
    return {block.position: _worst(block, setting, answers) for block in ode_blocks(model)}


def _worst(block: ODEBlock, setting: Setting, answers: Sequence[AdaptiveAnswer]) -> BlockError:
    errors = [_error(block, setting, answer) for answer in answers]
    worst = max(range(len(errors)), key=lambda index: max(errors[index]))
    if setting.tolerance is not None and not max(errors[worst]) <= setting.tolerance:
        where = "" if errors[worst].whole == max(errors[worst]) else "a tile of "
        raise ExportError(
            f"setting {setting.name} does not keep its tolerance: on {where}{answers[worst].frame.name} ODE block "
            f"{block.position} errs by {max(errors[worst]):.3g}, above {setting.tolerance:g}; search on more pictures"
        )
    return BlockError(max(error.whole for error in errors), max(error.tile for error in errors))


def _error(block: ODEBlock, setting: Setting, answer: AdaptiveAnswer) -> BlockError:
    states = answer.blocks[block.position]
    with torch.no_grad():
        end = setting.solvers[block.position](block.dynamics, states.start.float())
    if not bool(torch.isfinite(end).all()):
        raise ExportError(
            f"setting {setting.name}: on {answer.frame.name} the state of ODE block {block.position} is not finite; "
            "take more steps, or train with a lower learning rate"
        )
    return block_error(states.start, end, states.end, answer.stride(block.position))


def block_estimates(model: nn.Module, setting: Setting, answers: Sequence[AdaptiveAnswer]) -> tuple[BlockEstimate, ...]:
    """What the error estimates of a setting say over the pictures, by rising position of the blocks that have one."""
    return tuple(
        _estimate(block, setting, answers) for block in ode_blocks(model) if setting.solvers[block.position].estimate
    )


def _estimate(block: ODEBlock, setting: Setting, answers: Sequence[AdaptiveAnswer]) -> BlockEstimate:
    pairs = [_estimated_and_true(block, setting, answer) for answer in answers]
    estimates = np.array([estimate for estimate, _ in pairs])
    ratios = [estimate / true for estimate, true in pairs if true]
    known = len(ratios) == len(pairs)
    return BlockEstimate(
        position=block.position,
        images=len(pairs),
        median=float(np.median(estimates)),
        p95=float(np.percentile(estimates, 95)) if len(pairs) >= FEWEST_FOR_P95 else None,
        p99=float(np.percentile(estimates, 99)) if len(pairs) >= FEWEST_FOR_P99 else None,
        largest=float(estimates.max()),
        ratio_to_true_error=median(ratios) if known else None,
        smallest_ratio=min(ratios) if known else None,
    )


def _estimated_and_true(block: ODEBlock, setting: Setting, answer: AdaptiveAnswer) -> tuple[float, float]:
    """The estimate of the worst step, and the error at t = 1 in the same norm."""
    states = answer.blocks[block.position]
    # As the graph scales it.
    tolerance = block.tolerance if setting.tolerance is None else setting.tolerance
    with torch.no_grad():
        try:
            solution = setting.solvers[block.position].solve(
                block.dynamics, states.start.float(), rtol=tolerance, atol=tolerance
            )
        except SolverError as error:
            raise SolverError(f"ODE block {block.position} on {answer.frame.name}: {error}") from error
    assert solution.local_error is not None
    return float(solution.local_error), _norm(solution.end.double() - states.end, states.start, states.end, tolerance)


def _norm(error: Tensor, before: Tensor, after: Tensor, tolerance: float) -> float:
    scale = tolerance + tolerance * torch.maximum(before.abs(), after.abs())
    return float((error / scale).square().mean().sqrt())
