"""A graph in which chosen convolutions compute in 8 bits, between explicit QuantizeLinear and DequantizeLinear nodes.

Such a convolution takes and gives 8 bits: CPU engines fuse it with the nodes around it only then. Everything else, an
ODE block's state and its sums among it, computes in FP32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from hemonode.export.graph.builder import GraphBuilder, Named, Value
from hemonode.export.graph.eight_bits import ConvRanges, Range, eight_bit_weight
from hemonode.export.graph.weights import WeightFile, WeightOverflow


class QuantisedBuilder(GraphBuilder):
    """Writes the convolutions that it has ranges of in 8 bits, the others in FP32.

    Args:
        weights: the file that takes the weights.
        ranges: by the convolution's name.
    """

    def __init__(self, weights: WeightFile, ranges: Mapping[str, ConvRanges]) -> None:
        super().__init__(weights)
        self._ranges = ranges
        # What a convolution gave and nobody but a ReLU has taken yet, and where it is to be rounded to.
        self._unrounded: dict[str, Range] = {}
        # By the name of the value that was rounded.
        self._rounded: dict[str, Value] = {}
        # Values that lie on a grid already, so that rounding them to it again loses nothing.
        self._grids: dict[str, Range] = {}
        self._scales: dict[str, np.float32] = {}
        # By the names of whole numbers and scales.
        self._weights_in_fp32: dict[tuple[str, str], Value] = {}

    def ops(
        self, operator: str, inputs: Sequence[Value | None], dtypes: Sequence[int], **attributes: object
    ) -> tuple[Value, ...]:
        """Add a node; what an 8-bit convolution gave is rounded before anything but its ReLU takes it."""
        source = inputs[0]
        unrounded = None if source is None else self._unrounded.get(source.name)
        if operator == "Relu" and unrounded is not None:
            outputs = super().ops(operator, inputs, dtypes, **attributes)
            self._unrounded[outputs[0].name] = unrounded
            return outputs
        taken = [None if value is None else self._settled(value) for value in inputs]
        outputs = super().ops(operator, taken, dtypes, **attributes)
        if operator == "MaxPool" and taken[0] is not None and taken[0].name in self._grids:
            self._grids[outputs[0].name] = self._grids[taken[0].name]
        return outputs

    def conv(self, x: Value, weight: Named, bias: Named, geometry: Mapping[str, Any]) -> Value:
        """A convolution, in 8 bits where its ranges are known.

        Raises:
            WeightOverflow: a bias is too large for the 32 bits that products are summed in.
        """
        ranges = self._ranges.get(self.upcoming("Conv"))
        if ranges is None:
            return super().conv(x, weight, bias, geometry)
        taken = self._on_grid(x, ranges.takes)
        kernel, scales = self._kernel(weight)
        offset = self._offset(bias, self._scales[taken.name] * scales)
        given = super().ops("Conv", [taken, kernel, offset], (TensorProto.FLOAT,), **geometry)[0]
        self._unrounded[given.name] = ranges.gives
        return given

    def _settled(self, value: Value) -> Value:
        """`value`, rounded where an 8-bit convolution gave it."""
        return self._round(value, self._unrounded[value.name]) if value.name in self._unrounded else value

    def _on_grid(self, value: Value, span: Range) -> Value:
        """`value` as it comes out of a DequantizeLinear, on its own grid where it has one, else on that of `span`."""
        value = self._settled(value)
        return value if value.name in self._scales else self._round(value, self._grids.get(value.name, span))

    def _round(self, value: Value, span: Range) -> Value:
        if value.name not in self._rounded:
            grid = [self.constant(span.scale, np.float32), self.constant(span.zero_point, np.uint8)]
            (small,) = super().ops("QuantizeLinear", [value, *grid], (TensorProto.UINT8,))
            (rounded,) = super().ops("DequantizeLinear", [small, *grid], (TensorProto.FLOAT,))
            self._rounded[value.name] = rounded
            self._grids[rounded.name] = span
            self._scales[rounded.name] = span.scale
        return self._rounded[value.name]

    def _kernel(self, weight: Named) -> tuple[Value, npt.NDArray[np.float32]]:
        name, values = weight
        small = eight_bit_weight(values)
        return self._dequantised(self.weight(name, small.values, TensorProto.INT8), small.scales), small.scales

    def _offset(self, bias: Named, scales: npt.NDArray[np.float32]) -> Value:
        """A bias on the grid of the products, where engines add it: ONNX Runtime before 1.21 fuses no other."""
        name, values = bias
        # As engines multiply the scales, in float32.
        whole = np.round(values / scales.astype(np.float64))
        if not (np.abs(whole) <= np.iinfo(np.int32).max).all():
            raise WeightOverflow(f"bias '{name}' is too large for the 32-bit sums of int8")
        return self._dequantised(self.constant(whole, np.int32), scales)

    def _dequantised(self, small: Value, scales: npt.NDArray[np.float32]) -> Value:
        """Per output channel, which is the first axis."""
        scale = self.constant(scales, np.float32)
        if (small.name, scale.name) not in self._weights_in_fp32:
            zeros = self.constant(np.zeros(len(scales)), np.int8 if small.dtype == TensorProto.INT8 else np.int32)
            (wide,) = super().ops("DequantizeLinear", [small, scale, zeros], (TensorProto.FLOAT,), axis=0)
            self._weights_in_fp32[small.name, scale.name] = wide
        return self._weights_in_fp32[small.name, scale.name]
