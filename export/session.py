"""Run a graph on ONNX Runtime's CPU engine, as verification needs it: any frame size, and magnitudes on request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, helper

from hemonode.export.frames import PreparedFrame, as_batch
from hemonode.runtime.prediction import Prediction


class GraphSession:
    """One graph, opened for frames of any size."""

    def __init__(self, path: Path) -> None:
        self._session = open_graph(path)

    def predict(self, frame: PreparedFrame) -> Prediction:
        """The graph's answer for one frame."""
        class_ids, peaks = self._session.run(["class_ids", "peaks"], {"frames": as_batch(frame)})
        return Prediction(class_ids, peaks)


class MagnitudeSession:
    """An fp32 graph that answers the largest magnitude of each of its convolutions' values instead of masks.

    CPU engines widen FP16 inside and hide an overflow, so the fp32 graph is asked how large its values become.
    Those are enough: activations, pooling, enlarging and joining never exceed what they are given by more than 1.
    """

    def __init__(self, path: Path) -> None:
        model, self._names = _with_magnitudes(onnx.load(path, load_external_data=False))
        with drafted_graph(model, path.parent) as draft:
            self._session = open_graph(draft)

    def measure(self, frame: PreparedFrame) -> dict[str, float]:
        """The largest magnitude that each convolution takes or gives on one frame, by the convolution's name."""
        # NaN compares with nothing, and must not hide.
        values = np.nan_to_num(self._session.run(None, {"frames": as_batch(frame)}), nan=np.inf, posinf=np.inf)
        pairs = values.reshape(-1, 2).max(axis=1)
        return dict(zip(self._names, pairs.tolist(), strict=True))


@contextmanager
def drafted_graph(model: ModelProto, folder: Path) -> Iterator[Path]:
    """A graph as a file in the folder that holds its weights, where engines look for them; it vanishes at the end."""
    draft = folder / f".{model.graph.name}.onnx"
    try:
        draft.write_bytes(model.SerializeToString())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def open_graph(path: Path) -> onnxruntime.InferenceSession:
    """ONNX Runtime on the CPU; the file may go once it is open."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _with_magnitudes(model: ModelProto) -> tuple[ModelProto, list[str]]:
    """Replace the outputs by max |x| of what each convolution takes and gives; scalars need no memory."""
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    values = [name for node in convolutions for name in (node.input[0], node.output[0])]
    del model.graph.output[:]
    for index, name in enumerate(values):
        model.graph.node.append(helper.make_node("Abs", [name], [f"abs_{index}"]))
        model.graph.node.append(helper.make_node("ReduceMax", [f"abs_{index}"], [f"largest_{index}"], keepdims=0))
        model.graph.output.append(helper.make_tensor_value_info(f"largest_{index}", TensorProto.FLOAT, []))
    return model, [node.name for node in convolutions]
