"""Emitters of the ODE block: its solver unrolled, time folded into each stage's biases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto
from torch import nn

from hemonode.errors import ExportError
from hemonode.export.graph.builder import Value
from hemonode.export.graph.emission import Emission
from hemonode.export.graph.layers import array_of, convolve
from hemonode.export.unroll import Unrolled, integrate
from hemonode.train.models.ode_block import Dynamics, ODEBlock


def emit_ode_block(emission: Emission, block: ODEBlock, h0: Value) -> Value:
    """The unrolled solver in `block.integrator`. Slopes are in the compute type, states and sums in FP32.

    Raises:
        ExportError: the block is not set to an unrolled solver.
    """
    solver, graph = block.integrator, emission.graph
    if not isinstance(solver, Unrolled):
        raise ExportError(f"ODE block {block.position} has no unrolled solver: set its integrator first")

    def slope(time: float, state: Value) -> Value:
        return emission.emit(block.dynamics, time, state)

    def advance(state: Value, terms: Sequence[tuple[float, Value]]) -> Value:
        total = graph.cast(state, TensorProto.FLOAT)
        for weight, k in terms:
            term = graph.cast(k, TensorProto.FLOAT)
            if weight != 1:
                term = graph.op("Mul", [term, graph.constant(weight, np.float32)])
            total = graph.op("Add", [total, term])
        return total

    return graph.compute(integrate(solver.scheme, solver.grid, h0, slope, advance))


def emit_dynamics(emission: Emission, dynamics: Dynamics, time: float, state: Value) -> Value:
    """One evaluation of f: the bias of each convolution becomes b + t·w, and costs nothing when it runs."""
    k = state
    for index, (conv, time_weight) in enumerate(zip(dynamics.convs, dynamics.time_weights, strict=True)):
        assert isinstance(conv, nn.Conv2d)
        if index:
            k = emission.emit(dynamics.activation, k)
        bias = time * array_of(time_weight)
        if conv.bias is not None:
            bias = bias + array_of(conv.bias)
        name = emission.name(conv)
        k = convolve(emission.graph, conv, k, (f"{name}.weight", array_of(conv.weight)), (f"{name}.bias@{time}", bias))
    return k
