"""The ends of the graph: from frames to pixels, from logits to class ids, from the heat map to a list of peaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import TensorProto

from hemonode.export.graph.builder import GraphBuilder, Value
from hemonode.export.graph.layers import enlarge

PEAK_MARGIN = 1e-3
"""A place is a peak when no neighbour is higher by more than this: no equality test survives rounding in an engine."""


def emit_pixels(graph: GraphBuilder, frames: Value) -> Value:
    """uint8 [N, H, W, 3] to FP32 [N, 3, H, W]; TensorRT reads uint8 only through a Cast, so that comes first."""
    return graph.op("Transpose", [graph.cast(frames, TensorProto.FLOAT)], perm=[0, 3, 1, 2])


def emit_class_ids(graph: GraphBuilder, logits: Value, mask_scale: int) -> Value:
    """FP32 logits [N, C, H, W] to uint8 [N, H·m, W·m]; interpolating logits, not ids, keeps outlines smooth."""
    indices = graph.op("ArgMax", [enlarge(graph, logits, mask_scale)], dtype=TensorProto.INT64, axis=1, keepdims=0)
    # TensorRT converts to uint8 from float only.
    return graph.rename(graph.cast(graph.cast(indices, TensorProto.FLOAT), TensorProto.UINT8), "class_ids")


def emit_peaks(graph: GraphBuilder, heat_logits: Value, class_ids: Sequence[int], heat_stride: int, rows: int) -> Value:
    """FP32 heat logits [N, K, h, w] to the `rows` best local maxima, float32 [N, rows, 4]: class id, x, y, score.

    x and y are in pixels of the input, whose first pixel's centre is at 0.5; rows fall by score over all classes
    and places, and those past the last peak score 0.
    """
    scores = graph.op("Sigmoid", [heat_logits])
    highest = graph.op("MaxPool", [scores], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    bound = graph.op("Sub", [highest, graph.constant(PEAK_MARGIN, np.float32)])
    is_peak = graph.op("GreaterOrEqual", [scores, bound], dtype=TensorProto.BOOL)
    peaks = graph.op("Where", [is_peak, scores, graph.constant(0, np.float32)], dtype=TensorProto.FLOAT)
    best, places = graph.ops(
        "TopK",
        [graph.op("Flatten", [peaks], axis=1), graph.constant([rows], np.int64)],
        (TensorProto.FLOAT, TensorProto.INT64),
        axis=1,
        largest=1,
        sorted=1,
    )
    channel, row, column = _unravel(graph, places, heat_logits)
    ids = graph.op("Gather", [graph.constant(class_ids, np.float32), channel])
    columns = [ids, _centre(graph, column, heat_stride), _centre(graph, row, heat_stride), best]
    last_axis = graph.constant([2], np.int64)
    return graph.rename(
        graph.op("Concat", [graph.op("Unsqueeze", [values, last_axis]) for values in columns], axis=2), "peaks"
    )


def emit_block_errors(
    graph: GraphBuilder, pixels: Value, estimates: Mapping[int, Value], positions: Sequence[int]
) -> Value:
    """FP32 [N, 1, 1, 1] of each ODE block that estimates, by position, to float32 [N, blocks]; 0 of the others."""
    columns = []
    for position in positions:
        if position not in estimates:
            # N zeros, from what is finite whatever happens in the network.
            mean = graph.op("ReduceMean", [pixels], axes=[1, 2, 3], keepdims=1)
            columns.append(graph.op("Mul", [mean, graph.constant(0, np.float32)]))
        else:
            columns.append(estimates[position])
    return graph.rename(graph.op("Flatten", [graph.op("Concat", columns, axis=1)], axis=1), "block_errors")


def _unravel(graph: GraphBuilder, places: Value, heat: Value) -> tuple[Value, Value, Value]:
    """Channel, row and column of places in a flattened [K, h, w]; by division, since Mod is not parsed everywhere."""
    shape = graph.op("Shape", [heat], dtype=TensorProto.INT64)
    height, width = (graph.op("Gather", [shape, graph.constant(axis, np.int64)]) for axis in (2, 3))
    channel, inside = _divide(graph, places, graph.op("Mul", [height, width]))
    row, column = _divide(graph, inside, width)
    return channel, row, column


def _divide(graph: GraphBuilder, number: Value, divisor: Value) -> tuple[Value, Value]:
    quotient = graph.op("Div", [number, divisor])
    return quotient, graph.op("Sub", [number, graph.op("Mul", [quotient, divisor])])


def _centre(graph: GraphBuilder, index: Value, heat_stride: int) -> Value:
    middle = graph.op("Add", [graph.cast(index, TensorProto.FLOAT), graph.constant(0.5, np.float32)])
    return graph.op("Mul", [middle, graph.constant(heat_stride, np.float32)])
