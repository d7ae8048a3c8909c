"""A graph under construction: typed values, one node per call, and only operators that every target parses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from hemonode import __version__
from hemonode.errors import ExportError
from hemonode.export.graph.weights import COMPUTE_TYPES, Array, WeightFile

OPSET = 17
IR_VERSION = 8

# What TensorRT 8.6 and later parse into layers of their own, without plug-ins or control flow.
OPERATORS = frozenset(
    (
        "Abs", "Add", "ArgMax", "Cast", "Concat", "Conv", "DequantizeLinear", "Div", "Flatten", "Gather",
        "GreaterOrEqual", "Max", "MaxPool", "Mul", "QuantizeLinear", "ReduceMax", "ReduceMean", "Relu", "Resize",
        "Shape", "Sigmoid", "Softplus", "Sqrt", "Sub", "Tanh", "TopK", "Transpose", "Unsqueeze", "Where",
    )
)  # fmt: skip


class Value(NamedTuple):
    """A tensor of the graph: its name and its ONNX element type."""

    name: str
    dtype: int


Named = tuple[str, Array]
"""A weight and the name that all graphs know it by."""


class GraphBuilder:
    """Adds nodes in order of computation; every value knows its type, so that precision is stated, never guessed.

    Attributes:
        compute_dtype: element type of convolutions and activations; `computing` changes it for a part of the network.
    """

    def __init__(self, weights: WeightFile) -> None:
        self.compute_dtype = COMPUTE_TYPES[weights.precision]
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._initializers: list[TensorProto] = []
        self._shared: dict[tuple[str, int], Value] = {}
        self._casts: dict[tuple[str, int], Value] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._counts: Counter[str] = Counter()
        self._values = 0
        self._scope = ""

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the names of the nodes made inside, so that an engine's report can be read by module."""
        outer, self._scope = self._scope, f"{name}/" if name else self._scope
        try:
            yield
        finally:
            self._scope = outer

    @contextmanager
    def computing(self, dtype: int) -> Iterator[None]:
        """Compute the nodes made inside in this element type."""
        outer, self.compute_dtype = self.compute_dtype, dtype
        try:
            yield
        finally:
            self.compute_dtype = outer

    def op(
        self, operator: str, inputs: Sequence[Value | None], *, dtype: int | None = None, **attributes: object
    ) -> Value:
        """Add a node with one output, of `dtype` or else of the first input's type. None is an input left out.

        Raises:
            ExportError: the operator is not on the list that every target parses.
        """
        return self.ops(operator, inputs, (self._dtype(inputs) if dtype is None else dtype,), **attributes)[0]

    def ops(
        self, operator: str, inputs: Sequence[Value | None], dtypes: Sequence[int], **attributes: object
    ) -> tuple[Value, ...]:
        """Add a node with one output per entry of `dtypes`.

        Raises:
            ExportError: the operator is not on the list that every target parses.
        """
        if operator not in OPERATORS:
            raise ExportError(f"operator {operator} is not known to parse on every target: write it with others")
        # Nodes are called by their module; what they pass on, which is named several times, by a number: that takes
        # 40 % off a graph of 64 evaluations per block.
        name = self.upcoming(operator)
        self._counts[f"{self._scope}{operator}"] += 1
        first = self._values
        self._values += len(dtypes)
        names = [f"v{index}" for index in range(first, self._values)]
        sources = ["" if value is None else value.name for value in inputs]
        node = helper.make_node(operator, sources, names, name=name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
        return tuple(Value(output, dtype) for output, dtype in zip(names, dtypes, strict=True))

    def upcoming(self, operator: str) -> str:
        """What the next node of this operator will be called."""
        stem = f"{self._scope}{operator}"
        return f"{stem}_{self._counts[stem]}"

    def conv(self, x: Value, weight: Named, bias: Named, geometry: Mapping[str, Any]) -> Value:
        """A convolution in the compute type, of weight [O, I, h, w] and bias [O]; `geometry`: the attributes."""
        return self.op("Conv", [self.compute(x), self.weight(*weight), self.weight(*bias)], **geometry)

    def cast(self, value: Value, dtype: int) -> Value:
        """`value` in another element type; no node where it has that type, one node for repeated requests."""
        if value.dtype == dtype:
            return value
        if (value.name, dtype) not in self._casts:
            self._casts[value.name, dtype] = self.op("Cast", [value], dtype=dtype, to=dtype)
        return self._casts[value.name, dtype]

    def compute(self, value: Value) -> Value:
        """`value` in the type that convolutions are computed in."""
        return self.cast(value, self.compute_dtype)

    def weight(self, name: str, values: npt.NDArray[np.floating], dtype: int | None = None) -> Value:
        """A weight in the shared file, in `dtype` or else the compute type. Graphs share the bytes of one name.

        Inside the graph it is called by a number: 64 evaluations per block name 400 biases.
        """
        key = name, self.compute_dtype if dtype is None else dtype
        if key not in self._shared:
            tensor = self._weights.tensor(name, values, key[1])
            tensor.name = f"w{len(self._shared)}"
            self._initializers.append(tensor)
            self._shared[key] = Value(tensor.name, key[1])
        return self._shared[key]

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike) -> Value:
        """A small constant inside the graph; equal ones are one."""
        array = np.asarray(values, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            name = f"c{len(self._constants)}"
            self._initializers.append(numpy_helper.from_array(array, name))
            self._constants[key] = Value(name, helper.np_dtype_to_tensor_dtype(array.dtype))
        return self._constants[key]

    def rename(self, value: Value, name: str) -> Value:
        """Give the newest node's output the name that the outside knows it by."""
        node = self._nodes[-1]
        if list(node.output) != [value.name]:
            raise ExportError(f"only the newest value can be named '{name}', which {value.name} is not")
        node.output[0] = name
        return Value(name, value.dtype)

    def model(self, name: str, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]) -> ModelProto:
        """The finished graph."""
        graph = helper.make_graph(self._nodes, name, inputs, outputs, self._initializers)
        return helper.make_model(
            graph,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="hemonode",
            producer_version=__version__,
        )

    @staticmethod
    def _dtype(inputs: Sequence[Value | None]) -> int:
        first = inputs[0]
        assert first is not None
        return first.dtype
