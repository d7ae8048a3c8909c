"""What 8 bits in f do to an ODE block's state: recorded, and as a rule far more than the solver's own error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from hemonode.export.graph.eight_bits import ConvRanges
from hemonode.export.graph.quantised import QuantisedBuilder
from hemonode.export.graph.weights import WeightFile
from hemonode.export.lone_block import worst_rounding, write_block
from hemonode.export.reference import AdaptiveAnswer
from hemonode.export.settings import Setting
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import ode_blocks


def int8_rounding(
    model: nn.Module, setting: Setting, answers: Sequence[AdaptiveAnswer], ranges: Mapping[str, ConvRanges]
) -> dict[int, float]:
    """The largest error of each ODE block that computes in 8 bits, by position; see `SettingVerification`.

    Each block is computed as it is written into the INT8 graph, alone, on ONNX Runtime.
    """
    written = {conv.partition(".")[0] for conv in ranges}
    blocks = (block for block in ode_blocks(model) if f"ode{block.position}" in written)
    return {block.position: _worst(block, setting, answers, ranges) for block in blocks}


def _worst(
    block: ODEBlock, setting: Setting, answers: Sequence[AdaptiveAnswer], ranges: Mapping[str, ConvRanges]
) -> float:
    weights = WeightFile("int8")
    graph = write_block(block, setting, QuantisedBuilder(weights, ranges))
    return worst_rounding(block, setting, answers, graph, weights).error
