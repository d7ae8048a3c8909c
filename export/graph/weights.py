"""The weight file that all graphs of one precision share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper
from torch import Tensor

from hemonode.errors import ExportError
from hemonode.runtime.bundle.schema import Precision

ALIGNMENT = 64
"""Bytes: a cache line, and enough for any vector load from a mapped file."""

COMPUTE_TYPES: dict[Precision, int] = {
    "fp32": TensorProto.FLOAT,
    "fp16": TensorProto.FLOAT16,
    "int8": TensorProto.FLOAT,
}
"""What convolutions and activations are computed in; of int8, where nothing says that 8 bits are enough."""


Array = npt.NDArray[np.float64]


def array_of(parameter: Tensor) -> Array:
    """A parameter as float64, in which folding adds no rounding of its own."""
    return parameter.detach().cpu().double().numpy()


class WeightOverflow(ExportError):
    """A weight is too large for the type that it would be written in."""


class WeightFile:
    """Collects each named weight once, however many graphs use it, and writes them side by side.

    Attributes:
        file_name: a bare name, which readers look for beside the graph; anything with a path in it is refused by them.
    """

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self.file_name = f"weights.{precision}.bin"
        self._offsets: dict[tuple[str, int], int] = {}
        self._arrays: dict[tuple[str, int], npt.NDArray[np.floating]] = {}
        self._end = 0

    def tensor(self, name: str, values: npt.NDArray[np.floating], dtype: int | None = None) -> TensorProto:
        """An initializer that points into the file, of ONNX element type `dtype`, or else of the file's precision.

        Raises:
            WeightOverflow: the values overflow the type.
            ExportError: the name already stands for other values of that type.
        """
        dtype = COMPUTE_TYPES[self.precision] if dtype is None else dtype
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(values, helper.tensor_dtype_to_np_dtype(dtype))
        if not np.isfinite(array).all():
            raise WeightOverflow(
                f"weight '{name}' reaches {np.abs(values).max():.3g}, which {self.precision} cannot hold"
            )
        key = name, dtype
        if key not in self._arrays:
            self._offsets[key] = self._end
            self._arrays[key] = array
            self._end += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
        elif not np.array_equal(self._arrays[key], array):
            raise ExportError(f"two different weights are called '{name}'; give every module its own name")
        return self._pointer(name, dtype, array)

    def _pointer(self, name: str, dtype: int, array: npt.NDArray[np.floating]) -> TensorProto:
        tensor = TensorProto(name=name, data_type=dtype, dims=array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        offset = self._offsets[name, dtype]
        for key, value in (("location", self.file_name), ("offset", offset), ("length", array.nbytes)):
            tensor.external_data.append(onnx.StringStringEntryProto(key=key, value=str(value)))
        return tensor

    def save(self, folder: Path) -> Path:
        """Write the file into `folder`, little-endian as ONNX asks, and return its path."""
        path = folder / self.file_name
        with path.open("wb") as file:
            for key, array in self._arrays.items():
                file.seek(self._offsets[key])
                file.write(array.astype(array.dtype.newbyteorder("<")).tobytes())
            file.truncate(self._end)
            file.flush()
            os.fsync(file.fileno())
        return path
