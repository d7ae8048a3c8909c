"""What FP16 in f does to an ODE block's state: no tighter tolerance can be kept in FP16, whatever the solver."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import onnxruntime
import torch
from onnx import ModelProto, TensorProto, helper
from torch import nn

from hemonode.errors import ExportError
from hemonode.export.block_error import block_error
from hemonode.export.graph.builder import GraphBuilder, Value
from hemonode.export.graph.emission import Emission
from hemonode.export.graph.table import EMITTERS
from hemonode.export.graph.weights import WeightFile
from hemonode.export.half.rounding import rounded
from hemonode.export.reference import AdaptiveAnswer
from hemonode.export.session import drafted_graph, open_graph
from hemonode.export.settings import Setting, integrating
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import ode_blocks


class Rounding(NamedTuple):
    """‖h − h_fp32‖ / ‖h_ref − h(0)‖ of one block, over the picture or tile where it is largest."""

    error: float
    image: str


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
    with integrating(block, setting.solvers), torch.no_grad():
        graph = _write(block, weights)
        with tempfile.TemporaryDirectory() as folder:
            weights.save(Path(folder))
            with drafted_graph(rounded(graph), Path(folder)) as draft:
                session = open_graph(draft)
        return max(_rounding(block, session, answer) for answer in answers)


def _rounding(block: ODEBlock, session: onnxruntime.InferenceSession, answer: AdaptiveAnswer) -> Rounding:
    states = answer.blocks[block.position]
    start = states.start.float()
    (half,) = session.run(None, {"h0": start.numpy()})
    # What rounding adds, over the reference's movement.
    shifted = states.end + (torch.from_numpy(half).double() - block(start).double())
    error = block_error(states.start, shifted, states.end, answer.stride(block.position))
    return Rounding(max(error), answer.frame.name)


def _write(block: ODEBlock, weights: WeightFile) -> ModelProto:
    """h(0) to h(1), both FP32: as in the network, but for the Cast to what follows there."""
    graph = GraphBuilder(weights)
    leaving = Emission(graph, block, EMITTERS).emit(block, Value("h0", TensorProto.FLOAT))
    shape = ["N", "C", "H", "W"]
    model = graph.model(f"block{block.position}", [helper.make_tensor_value_info("h0", TensorProto.FLOAT, shape)], [])
    (state,) = (node.input[0] for node in model.graph.node if leaving.name in node.output)
    model.graph.output.append(helper.make_tensor_value_info(state, TensorProto.FLOAT, shape))
    return model
