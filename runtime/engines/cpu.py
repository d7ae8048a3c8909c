"""ONNX Runtime on the CPU: works everywhere, in fp32, or in int8 where the bundle holds such a graph."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemonode.errors import EngineError
from hemonode.runtime.engines.contract import Engine, Opening, Shape
from hemonode.runtime.engines.cores import threads_per_lane
from hemonode.runtime.engines.onnxruntime_session import VERSION, open_session, session_options
from hemonode.runtime.prediction import Prediction


def open_engine(opening: Opening) -> Engine:
    """See `hemonode.runtime.engines.open_engine`. `auto` precision is fp32."""
    precision = "fp32" if opening.precision == "auto" else opening.precision
    if precision not in ("fp32", "int8"):
        raise EngineError(f"ONNX Runtime computes in fp32 or int8 on a CPU, not in {precision}; ask for fp32 or auto.")
    graph = opening.bundle.graph_path(opening.setting, precision)
    return CpuEngine(graph, opening.shape, precision=precision, threads=opening.threads, lanes=opening.lanes)


class CpuEngine(Engine):
    """One ONNX Runtime session, which takes any batch and any number of callers."""

    name = "cpu"
    version = VERSION

    def __init__(
        self, graph: Path, shape: Shape, *, precision: str = "fp32", threads: int | None = None, lanes: int = 1
    ) -> None:
        super().__init__(shape, batch_sizes=tuple(range(1, shape[0] + 1)), lanes=lanes)
        self.device = platform.processor() or platform.machine()
        self.precision = precision
        options = session_options(threads_per_lane(threads, lanes))
        self._session = open_session(graph, options, ["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        values = self._session.run(self._outputs, {"frames": frames})
        return Prediction(**dict(zip(self._outputs, values, strict=True)))

    def _release(self) -> None:
        del self._session
