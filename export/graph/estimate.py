"""The error estimate of a block inside the graph: that of its worst step, in the adaptive solver's own norm."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from hemonode.export.graph.builder import GraphBuilder, Value


class WorstStep:
    """Takes in a block's steps and keeps the largest error; see `hemonode.export.unroll.Solution`.

    Args:
        graph: what nodes are added to.
        tolerance: rtol and atol.
    """

    def __init__(self, graph: GraphBuilder, tolerance: float) -> None:
        self._graph = graph
        self._tolerance = tolerance
        self._sizes: dict[str, Value] = {}
        self._squares: list[Value] = []
        self._factors: list[float] = []

    def add(self, before: Value, after: Value, shape: Value, factor: float) -> None:
        """One step.

        Args:
            before: FP32 [N, C, H, W], state at its start.
            after: the same at its end.
            shape: the same; its local error is `factor` times this.
            factor: see there.
        """
        graph = self._graph
        larger = graph.op("Max", [self._size(before), self._size(after)])
        ratio = graph.op("Div", [shape, graph.op("Add", [larger, graph.constant(1, np.float32)])])
        square = graph.op("Mul", [ratio, ratio])
        self._squares.append(graph.op("ReduceMean", [square], axes=[1, 2, 3], keepdims=1))
        self._factors.append(abs(factor) / self._tolerance)

    def value(self) -> Value:
        """The largest root mean square, FP32 [N, 1, 1, 1]; NaN where the state was."""
        graph = self._graph
        factors = graph.constant(np.reshape(self._factors, (1, -1, 1, 1)), np.float32)
        roots = graph.op("Mul", [graph.op("Sqrt", [graph.op("Concat", self._squares, axis=1)]), factors])
        largest = graph.op("ReduceMax", [roots], axes=[1], keepdims=1)
        # Some engines take the largest of NaN and a number to be the number; a mean never forgets one.
        mean = graph.op("ReduceMean", [roots], axes=[1], keepdims=1)
        is_number = graph.op("GreaterOrEqual", [mean, graph.constant(0, np.float32)], dtype=TensorProto.BOOL)
        return graph.op("Where", [is_number, largest, mean], dtype=TensorProto.FLOAT)

    def _size(self, state: Value) -> Value:
        # A step starts where the one before it ended.
        if state.name not in self._sizes:
            self._sizes[state.name] = self._graph.op("Abs", [state])
        return self._sizes[state.name]
