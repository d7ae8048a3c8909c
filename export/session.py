"""Run a graph on ONNX Runtime's CPU engine, as verification needs it: any frame size, and magnitudes on request."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, helper

from hemonode.export.frames import PreparedFrame, as_batch
from hemonode.export.graph.writer import OUTER_SCOPES
from hemonode.runtime.prediction import Prediction


class GraphSession:
    """One graph, opened for frames of any size."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._session = _open(str(path), threads)

    def predict(self, frame: PreparedFrame) -> Prediction:
        """The graph's answer for one frame."""
        class_ids, peaks = self._session.run(["class_ids", "peaks"], {"frames": as_batch(frame)})
        return Prediction(class_ids, peaks)


class Magnitude(NamedTuple):
    """The largest absolute value in a graph on one frame, and the name of the value that reaches it."""

    largest: float
    value: str


class MagnitudeSession:
    """An fp32 graph that answers the largest magnitude of each of its network's values instead of masks.

    CPU engines widen FP16 inside and hide an overflow, so the fp32 graph is asked how large its values become.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        model, self._values = _with_magnitudes(onnx.load(path, load_external_data=False))
        # Opened as a file, since the weights are found beside it.
        draft = path.with_name(f".magnitudes.{path.name}")
        try:
            draft.write_bytes(model.SerializeToString())
            self._session = _open(str(draft), threads)
        finally:
            draft.unlink(missing_ok=True)

    def largest(self, frame: PreparedFrame) -> Magnitude:
        """The largest magnitude on one frame, and the name of the value that reaches it."""
        magnitudes = self._session.run(None, {"frames": as_batch(frame)})
        # NaN compares with nothing, and must not hide.
        place = int(np.argmax([np.inf if np.isnan(value) else float(value) for value in magnitudes]))
        return Magnitude(float(magnitudes[place]), self._values[place])


def _open(path: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _with_magnitudes(model: ModelProto) -> tuple[ModelProto, list[str]]:
    """Replace the outputs by max |x| of every value of the network; scalars need no memory."""
    inferred = onnx.shape_inference.infer_shapes(model).graph.value_info
    types = {value.name: value.type.tensor_type.elem_type for value in inferred}
    values = [
        name
        for node in model.graph.node
        for name in node.output
        if types.get(name) == TensorProto.FLOAT and not name.startswith(OUTER_SCOPES)
    ]
    del model.graph.output[:]
    for index, name in enumerate(values):
        model.graph.node.append(helper.make_node("Abs", [name], [f"abs_{index}"]))
        model.graph.node.append(helper.make_node("ReduceMax", [f"abs_{index}"], [f"largest_{index}"], keepdims=0))
        model.graph.output.append(helper.make_tensor_value_info(f"largest_{index}", types[name], []))
    return model, values
