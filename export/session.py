"""Run a graph on ONNX Runtime's CPU engine, as verification needs it: any frame size, and magnitudes on request."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, helper

from hemonode.export.frames import PreparedFrame, as_batch
from hemonode.runtime.prediction import Prediction


class GraphSession:
    """One graph, opened for frames of any size."""

    def __init__(self, path: Path) -> None:
        self._session = _open(str(path))

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

    def __init__(self, path: Path) -> None:
        model, self._values = _with_magnitudes(onnx.load(path, load_external_data=False))
        # Opened as a file, since the weights are found beside it.
        draft = path.with_name(f".magnitudes.{path.name}")
        try:
            draft.write_bytes(model.SerializeToString())
            self._session = _open(str(draft))
        finally:
            draft.unlink(missing_ok=True)

    def largest(self, frame: PreparedFrame) -> Magnitude:
        """The largest magnitude on one frame, and the name of the value that reaches it."""
        # NaN compares with nothing, and must not hide.
        magnitudes = np.nan_to_num(self._session.run(None, {"frames": as_batch(frame)}), nan=np.inf, posinf=np.inf)
        place = int(magnitudes.argmax())
        return Magnitude(float(magnitudes[place]), self._values[place])


def _open(path: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _with_magnitudes(model: ModelProto) -> tuple[ModelProto, list[str]]:
    """Replace the outputs by max |x| of what goes into and comes out of every convolution; scalars need no memory.

    That is enough: activations, pooling, enlarging and joining never exceed what they are given by more than 1.
    """
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    values = list(dict.fromkeys(name for node in convolutions for name in (node.input[0], node.output[0])))
    del model.graph.output[:]
    for index, name in enumerate(values):
        model.graph.node.append(helper.make_node("Abs", [name], [f"abs_{index}"]))
        model.graph.node.append(helper.make_node("ReduceMax", [f"abs_{index}"], [f"largest_{index}"], keepdims=0))
        model.graph.output.append(helper.make_tensor_value_info(f"largest_{index}", TensorProto.FLOAT, []))
    return model, values
