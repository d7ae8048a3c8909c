"""What FP16 in f does to an ODE block's state: no tighter tolerance can be kept in FP16, whatever the solver."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import nn

from hemonode.errors import ExportError
from hemonode.export.graph.builder import GraphBuilder
from hemonode.export.graph.weights import WeightFile
from hemonode.export.half.rounding import rounded
from hemonode.export.lone_block import Rounding, worst_rounding, write_block
from hemonode.export.reference import AdaptiveAnswer
from hemonode.export.settings import Setting
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import ode_blocks


def block_rounding(
    model: nn.Module, setting: Setting, answers: Sequence[AdaptiveAnswer], kept_fp32: Collection[str] = ()
) -> dict[int, Rounding]:
    """What f in FP16, on an FP32 state, does to h(1) of each ODE block, by position; not of those in `kept_fp32`.

    Each block is computed as it is written into the FP16 graph, alone, and compared with the same solver in torch.
    """
    paths = {module: path for path, module in model.named_modules()}
    return {
        block.position: _worst(block, setting, answers) for block in ode_blocks(model) if paths[block] not in kept_fp32
    }


class BeyondHalf(ExportError):
    """A tolerance that FP16 cannot hold, whatever the solver."""


def check_tolerance(setting: Setting, roundings: dict[int, Rounding]) -> None:
    """Refuse a tolerance that FP16 cannot hold.

    Raises:
        BeyondHalf: rounding alone exceeds the setting's tolerance in some block; the sentence says what FP16 can hold.
    """
    if setting.tolerance is None or not roundings:
        return
    position, worst = max(roundings.items(), key=lambda item: item[1].error)
    if not worst.error <= setting.tolerance:
        raise BeyondHalf(
            f"setting {setting.name}: a tolerance of {setting.tolerance:g} is tighter than FP16 can hold, whose "
            f"rounding alone changes ODE block {position} by {worst.error:.2g} on {worst.image}; "
            "ask for more than that, or for fp32 only"
        )


def _worst(block: ODEBlock, setting: Setting, answers: Sequence[AdaptiveAnswer]) -> Rounding:
    weights = WeightFile("fp16")
    graph = write_block(block, setting, GraphBuilder(weights))
    return worst_rounding(block, setting, answers, rounded(graph), weights)
