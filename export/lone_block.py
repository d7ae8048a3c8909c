"""One ODE block alone as a graph, as it is written into the network's: what its precision does to h(1)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import onnxruntime
import torch
from onnx import ModelProto, TensorProto, helper

from hemonode.export.block_error import block_error
from hemonode.export.graph.builder import GraphBuilder, Value
from hemonode.export.graph.emission import Emission
from hemonode.export.graph.table import EMITTERS
from hemonode.export.graph.weights import WeightFile
from hemonode.export.reference import AdaptiveAnswer
from hemonode.export.session import drafted_graph, open_graph
from hemonode.export.settings import Setting, integrating
from hemonode.train.models.ode_block import ODEBlock


class Rounding(NamedTuple):
    """‖h − h_fp32‖ / ‖h_ref − h(0)‖ of one block, over the picture or tile where it is largest."""

    error: float
    image: str


def write_block(block: ODEBlock, setting: Setting, graph: GraphBuilder) -> ModelProto:
    """h(0) to h(1), both FP32: as in the network, but for the Cast to what follows there."""
    with integrating(block, setting.solvers), torch.no_grad():
        leaving = Emission(graph, block, EMITTERS).emit(block, Value("h0", TensorProto.FLOAT))
    shape = ["N", "C", "H", "W"]
    model = graph.model(f"block{block.position}", [helper.make_tensor_value_info("h0", TensorProto.FLOAT, shape)], [])
    (last,) = (node for node in model.graph.node if leaving.name in node.output)
    state = last.input[0] if last.op_type == "Cast" else leaving.name
    model.graph.output.append(helper.make_tensor_value_info(state, TensorProto.FLOAT, shape))
    return model


def worst_rounding(
    block: ODEBlock, setting: Setting, answers: Sequence[AdaptiveAnswer], graph: ModelProto, weights: WeightFile
) -> Rounding:
    """What a block's graph does otherwise than the same solver in torch, over the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        weights.save(Path(folder))
        with drafted_graph(graph, Path(folder)) as draft:
            session = open_graph(draft)
    with integrating(block, setting.solvers), torch.no_grad():
        return max(_rounding(block, session, answer) for answer in answers)


def _rounding(block: ODEBlock, session: onnxruntime.InferenceSession, answer: AdaptiveAnswer) -> Rounding:
    states = answer.blocks[block.position]
    start = states.start.float()
    (rounded,) = session.run(None, {"h0": start.numpy()})
    # What rounding adds, over the reference's movement.
    shifted = states.end + (torch.from_numpy(rounded).double() - block(start).double())
    error = block_error(states.start, shifted, states.end, answer.stride(block.position))
    return Rounding(max(error), answer.frame.name)
