"""How much a graph computes: the multiply-adds of its convolutions."""

from __future__ import annotations

import math

import onnx
from onnx import ModelProto

SIDE = 128
"""Height and width at which the graph's shapes are worked out."""


def multiply_adds_per_px(graph: ModelProto) -> float:
    """Multiply-adds of all convolutions in one pass, per pixel of the input."""
    return sum(multiply_adds_by_conv(graph).values())


def multiply_adds_by_conv(graph: ModelProto) -> dict[str, float]:
    """Multiply-adds of each convolution in one pass, per pixel of the input, in the order of the graph."""
    sized = ModelProto()
    sized.CopyFrom(graph)
    for dim, length in zip(sized.graph.input[0].type.tensor_type.shape.dim, (1, SIDE, SIDE, 3), strict=True):
        dim.dim_value = length
    inferred = onnx.shape_inference.infer_shapes(sized, data_prop=True).graph
    shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in inferred.value_info}
    kernels = {tensor.name: math.prod(tensor.dims[1:]) for tensor in graph.graph.initializer}
    return {
        node.name: math.prod(shapes[node.output[0]]) * kernels[node.input[1]] / SIDE**2
        for node in graph.graph.node
        if node.op_type == "Conv"
    }
