"""ONNX Runtime on the CPU: works everywhere, in fp32."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines.contract import AskedPrecision, Engine, Shape
from hemonode.runtime.prediction import Prediction


def open_engine(
    bundle: Bundle, shape: Shape, *, setting: str | None, precision: AskedPrecision, threads: int | None
) -> Engine:
    """See `hemonode.runtime.engines.open_engine`."""
    if precision not in ("auto", "fp32"):
        raise EngineError(f"ONNX Runtime computes in fp32 on a CPU, not in {precision}; ask for fp32 or auto.")
    return CpuEngine(bundle.graph_path(setting), shape, threads)


class CpuEngine(Engine):
    """One ONNX Runtime session."""

    name = "cpu"
    precision = "fp32"

    def __init__(self, graph: Path, shape: Shape, threads: int | None) -> None:
        self.version = f"ONNX Runtime {onnxruntime.__version__}"
        self.device = platform.processor() or platform.machine()
        self.shape = shape
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library's types have no common base
            raise EngineError(f"ONNX Runtime cannot open {graph}: {error}") from error
        self._outputs = [output.name for output in self._session.get_outputs()]

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        values = self._session.run(self._outputs, {"frames": frames})
        return Prediction(**dict(zip(self._outputs, values, strict=True)))

    def _release(self) -> None:
        del self._session
