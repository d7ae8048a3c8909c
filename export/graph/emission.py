"""Walks a torch module and writes its graph, one emitter per type of module."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from onnx import TensorProto
from torch import Tensor, nn

from hemonode.errors import ExportError
from hemonode.export.graph.builder import GraphBuilder, Value
from hemonode.export.graph.weights import Array, array_of
from hemonode.train.models.table import ode_blocks

Emitter = Callable[..., Value]
"""(emission, module, inputs…) → the module's output."""

NetworkEmitter = Callable[..., tuple[Value, Value]]
"""(emission, network, pixels) → class logits and heat logits, both FP32."""


class Emission:
    """One model being written into one graph.

    Args:
        graph: what nodes are added to.
        model: whose modules are emitted.
        emitters: by type of module.
        keep_fp32: paths of the modules that compute in FP32 whatever the graph's precision is.
        tolerance: rtol and atol that error estimates are scaled by; None is each ODE block's own.

    Attributes:
        block_errors: the error estimate of each ODE block that has one, by position: FP32 [N, 1, 1, 1].
    """

    def __init__(
        self,
        graph: GraphBuilder,
        model: nn.Module,
        emitters: Mapping[type[nn.Module], Emitter],
        keep_fp32: Collection[str] = (),
        tolerance: float | None = None,
    ) -> None:
        self.graph = graph
        self.tolerance = tolerance
        self.block_errors: dict[int, Value] = {}
        self._emitters = emitters
        self._keep_fp32 = frozenset(keep_fp32)
        self._names: dict[nn.Module, str] = {module: name for name, module in model.named_modules()}
        self._labels = labels_of(model)
        self._arrays: dict[Tensor, Array] = {}

    def name(self, module: nn.Module) -> str:
        """The module's path in the model, which its weights are called by."""
        return self._names[module]

    def array(self, parameter: Tensor) -> Array:
        """A parameter as float64, in which folding adds no rounding of its own; read-only, converted once."""
        if parameter not in self._arrays:
            self._arrays[parameter] = array_of(parameter)
        return self._arrays[parameter]

    def emit(self, module: nn.Module, *inputs: Value | float) -> Value:
        """Write one module and return its output.

        Raises:
            ExportError: no emitter is known for its type, or for a type that it derives from.
        """
        for kind in type(module).__mro__:
            if kind in self._emitters:
                with self.graph.scope(self._labels[module]), self.graph.computing(self._dtype(module)):
                    return self._emitters[kind](self, module, *inputs)
        raise ExportError(
            f"'{self.name(module)}' is a {type(module).__name__}, which has no ONNX emitter: "
            "add one to hemonode.export.graph.table"
        )

    def entry_dtype(self, module: nn.Module) -> int:
        """The element type that a module, or the first layer inside it, computes in."""
        if isinstance(module, nn.Sequential) and self.name(module) not in self._keep_fp32:
            return self.entry_dtype(module[0])
        return self._dtype(module)

    def _dtype(self, module: nn.Module) -> int:
        return TensorProto.FLOAT if self.name(module) in self._keep_fp32 else self.graph.compute_dtype


def labels_of(model: nn.Module) -> dict[nn.Module, str]:
    """What a module's nodes are called by: its path, and inside an ODE block its position, such as ode5.dynamics."""
    labels = {module: path for path, module in model.named_modules()}
    for block in ode_blocks(model):
        for path, module in block.named_modules():
            labels[module] = f"ode{block.position}.{path}".rstrip(".")
    return labels
