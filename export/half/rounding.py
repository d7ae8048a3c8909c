"""Runs an FP16 graph on a CPU engine with every value rounded as the graph says, on pictures of any size.

CPU engines widen FP16 to FP32 from end to end, which hides rounding and overflow. Here the graph is rewritten first:
each node computes in FP32, and each FP16 value goes through FP16 and back. So a convolution accumulates in FP32 and
rounds once, as GPUs do; a value above 65504 becomes infinite.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from hemonode.export.session import GraphSession, drafted_graph

EXACT = frozenset(("Concat", "MaxPool", "Relu", "Transpose"))
"""Operators whose results are among their inputs (or 0): those need no rounding again."""


class RoundedSession(GraphSession):
    """An FP16 graph, opened for frames of any size, that answers in FP16 arithmetic."""

    def __init__(self, graph: ModelProto, folder: Path) -> None:
        """Open `graph`, whose weight file lies in `folder`, where a draft is written for a moment."""
        with drafted_graph(rounded(graph), folder) as draft:
            super().__init__(draft)


def half_values(model: ModelProto) -> frozenset[str]:
    """Names of the graph's values, weights apart, that are FP16."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*inferred.value_info, *inferred.input, *inferred.output)
    return frozenset(value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT16)


def rounded(model: ModelProto) -> ModelProto:
    """The graph in FP32 with a rounding to FP16 behind each node that answers in FP16."""
    halves = half_values(model)
    nodes: list[NodeProto] = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT16:
            nodes.append(_cast(f"{tensor.name}.half", tensor.name, TensorProto.FLOAT))
            tensor.name = f"{tensor.name}.half"
    for node in model.graph.node:
        if not halves.isdisjoint(node.output) and node.op_type not in EXACT:
            nodes += _rounding(node)
        else:
            nodes.append(node)
    graph = helper.make_graph(nodes, model.graph.name, model.graph.input, model.graph.output, model.graph.initializer)
    return helper.make_model(graph, ir_version=model.ir_version, opset_imports=model.opset_import)


def _rounding(node: NodeProto) -> list[NodeProto]:
    (name,) = node.output
    half = f"{name}.half"
    if node.op_type == "Cast":
        return [_cast(node.input[0], half, TensorProto.FLOAT16), _cast(half, name, TensorProto.FLOAT)]
    wide = NodeProto()
    wide.CopyFrom(node)
    wide.output[0] = f"{name}.wide"
    return [wide, _cast(wide.output[0], half, TensorProto.FLOAT16), _cast(half, name, TensorProto.FLOAT)]


def _cast(source: str, name: str, dtype: int) -> NodeProto:
    return helper.make_node("Cast", [source], [name], name=f"{name}/Rounding", to=dtype)
