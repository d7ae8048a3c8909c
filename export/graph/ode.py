"""Emitters of the ODE block: its solver unrolled, time folded into each stage's biases, the local error beside it."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto
from torch import nn

from hemonode.errors import ExportError
from hemonode.export.graph.builder import GraphBuilder, Value
from hemonode.export.graph.emission import Emission
from hemonode.export.graph.estimate import WorstStep
from hemonode.export.graph.layers import convolve
from hemonode.export.scheme import Terms
from hemonode.export.unroll import Unrolled, integrate
from hemonode.train.models.ode_block import Dynamics, ODEBlock


def emit_ode_block(emission: Emission, block: ODEBlock, h0: Value) -> Value:
    """The unrolled solver in `block.integrator`. Slopes are in the compute type, states and sums in FP32.

    Where the solver estimates, the estimate is left in `emission.block_errors`.

    Raises:
        ExportError: the block is not set to an unrolled solver.
    """
    solver, graph = block.integrator, emission.graph
    if not isinstance(solver, Unrolled):
        raise ExportError(f"ODE block {block.position} has no unrolled solver: set its integrator first")
    worst = WorstStep(graph, block.tolerance if emission.tolerance is None else emission.tolerance)

    def slope(time: float, state: Value) -> Value:
        return emission.emit(block.dynamics, time, state)

    def advance(state: Value, terms: Terms[Value]) -> Value:
        return _sum(graph, terms, graph.cast(state, TensorProto.FLOAT))

    def measure(before: Value, after: Value, step: float, terms: Terms[Value]) -> None:
        # Over the first weight, all steps share their constants, and one product less is taken.
        first = terms[0][0]
        shape = _sum(graph, [(weight / first, k) for weight, k in terms])
        worst.add(graph.cast(before, TensorProto.FLOAT), after, shape, step * first)

    end = integrate(solver.scheme, solver.grid, h0, slope, advance, measure if solver.estimate else None)
    if solver.estimate:
        emission.block_errors[block.position] = worst.value()
    return graph.compute(end)


def _sum(graph: GraphBuilder, terms: Terms[Value], total: Value | None = None) -> Value:
    """The sum Σ weight·k, on top of `total`, in FP32."""
    for weight, k in terms:
        term = graph.cast(k, TensorProto.FLOAT)
        if abs(weight) != 1 or (total is None and weight != 1):
            term, weight = graph.op("Mul", [term, graph.constant(weight, np.float32)]), 1
        total = term if total is None else graph.op("Add" if weight == 1 else "Sub", [total, term])
    assert total is not None
    return total


def emit_dynamics(emission: Emission, dynamics: Dynamics, time: float, state: Value) -> Value:
    """One evaluation of f: the bias of each convolution becomes b + t·w, and costs nothing when it runs."""
    # As torch rounds it; times that float32 cannot tell apart share their biases.
    at = np.float32(time)
    k = state
    for index, (conv, time_weight) in enumerate(zip(dynamics.convs, dynamics.time_weights, strict=True)):
        assert isinstance(conv, nn.Conv2d)
        if index:
            k = emission.emit(dynamics.activation, k)
        bias = float(at) * emission.array(time_weight)
        if conv.bias is not None:
            bias = bias + emission.array(conv.bias)
        name = emission.name(conv)
        k = convolve(
            emission.graph, conv, k, (f"{name}.weight", emission.array(conv.weight)), (f"{name}.bias@{at}", bias)
        )
    return k
