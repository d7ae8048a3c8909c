"""OpenVINO on x86 and ARM CPUs: in bfloat16 where the CPU has matrix units for it, several times ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines.contract import AskedPrecision, Engine, Shape
from hemonode.runtime.prediction import Prediction

_HINTS = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16}
_CPU_INFO = Path("/proc/cpuinfo")


def open_engine(
    bundle: Bundle, shape: Shape, *, setting: str | None, precision: AskedPrecision, threads: int | None
) -> Engine:
    """See `hemonode.runtime.engines.open_engine`. `auto` precision is bf16 only on CPUs with AMX."""
    if precision == "auto":
        precision = "bf16" if _has_amx() else "fp32"
    return OpenVinoEngine(bundle.graph_path(setting), shape, precision, threads)


class OpenVinoEngine(Engine):
    """One compiled model with one inference request."""

    name = "openvino"

    def __init__(self, graph: Path, shape: Shape, precision: str, threads: int | None) -> None:
        self.version = f"OpenVINO {openvino.__version__}"
        self.shape = shape
        try:
            core = openvino.Core()
            self.device = str(core.get_property("CPU", "FULL_DEVICE_NAME")).strip()
            model = core.read_model(graph)
            model.reshape([*shape, 3])
            compiled = core.compile_model(model, "CPU", _options(precision, threads))
            self._request = compiled.create_infer_request()
            ran = compiled.get_property("INFERENCE_PRECISION_HINT")
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot open {graph} for {shape}: {error}") from error
        if ran != _HINTS[precision]:
            raise EngineError(f"OpenVINO has no {precision} on this CPU ({self.device}); ask for fp32 or auto.")
        self.precision = precision
        self._outputs = [output.any_name for output in compiled.outputs]

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        self._request.infer([frames], share_inputs=True)
        # Copies: the tensors belong to the request and are overwritten by the next frame.
        return Prediction(**{name: np.array(self._request.get_tensor(name).data) for name in self._outputs})

    def _release(self) -> None:
        del self._request


def _options(precision: str, threads: int | None) -> dict[str, object]:
    options: dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        # Pinned, two engines of one thread each would both sit on the first core.
        "ENABLE_CPU_PINNING": False,
    }
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    return options


def _has_amx() -> bool:
    """Linux lists what the CPU can do; elsewhere AMX goes unnoticed, and fp32 is always right."""
    return _CPU_INFO.exists() and "amx_bf16" in _CPU_INFO.read_text(encoding="utf-8")
