"""OpenVINO on x86 and ARM CPUs: in bfloat16 where the CPU has matrix units for it, several times ONNX Runtime."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino

from hemonode.device.host.processor import processor_features
from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import Precision
from hemonode.runtime.engines.contract import Engine, Opening, Shape
from hemonode.runtime.engines.cores import threads_per_lane
from hemonode.runtime.engines.lanes import Lanes
from hemonode.runtime.engines.openvino_cache import keep_compiled, load_compiled
from hemonode.runtime.prediction import Prediction

# An int8 graph says by itself what is quantised; the rest of it stays in fp32.
_HINTS = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16, "int8": openvino.Type.f32}


def open_engine(opening: Opening) -> Engine:
    """See `hemonode.runtime.engines.open_engine`. `auto` precision is bf16 only on CPUs with AMX."""
    precision = opening.precision
    if precision == "auto":
        precision = "bf16" if "amx_bf16" in processor_features() else "fp32"
    if precision == "fp16":
        raise EngineError("OpenVINO is used in fp32, bf16 or int8 on a CPU, not in fp16; ask for one of those or auto.")
    held: Precision = "int8" if precision == "int8" else "fp32"
    graph = opening.bundle.graph_path(opening.setting, held)
    identity = f"{opening.bundle.sha256} {graph.name}"
    return OpenVinoEngine(
        graph, opening.shape, precision, threads=opening.threads, lanes=opening.lanes, identity=identity
    )


_CORE_LOCK = threading.Lock()
_cores: list[openvino.Core] = []


def _core() -> openvino.Core:
    """The process's only one, which is never let go.

    Making the first gives the thread that does it a stack for signals; letting the last one go frees that stack, and in
    another thread does not take it away: the next Ctrl-C then crashes the process (OpenVINO 2026.4 on x86).
    """
    with _CORE_LOCK:
        if not _cores:
            _convert_once()
            _cores.append(openvino.Core())
        return _cores[0]


def _convert_once() -> None:
    """Have OpenVINO make its tables of numpy's types now, in one thread.

    It makes them at their first use, as C++ statics: a thread that makes one waits for the interpreter, and another
    that has the interpreter waits for the table, for ever, and all other threads with them. On a busy machine the first
    frames of two workers met so in every few starts (OpenVINO 2026.4).
    """
    tensor = openvino.Tensor(np.zeros(1, np.uint8))
    tensor.element_type.to_dtype()
    np.array(tensor.data)


class OpenVinoEngine(Engine):
    """A compiled model for each lane.

    OpenVINO's throughput hint, one model with a stream per lane, takes two thirds of the memory, but hands every frame
    to another thread: the live view had 93 frames per second with it and 101 without, on two cores.

    Args:
        graph: the ONNX file.
        shape: (N, H, W) of the frames.
        precision: "fp32", "bf16" or "int8".
        threads: in all; None leaves it to OpenVINO.
        lanes: calls of `run` in work at once.
        identity: of the graph and its weights, to keep the compiled model by; None keeps nothing.

    Raises:
        EngineError: OpenVINO cannot open it, or not in that precision.
    """

    name = "openvino"

    def __init__(
        self,
        graph: Path,
        shape: Shape,
        precision: str,
        *,
        threads: int | None = None,
        lanes: int = 1,
        identity: str | None = None,
    ) -> None:
        super().__init__(shape, lanes=lanes)
        self.version = f"OpenVINO {openvino.__version__}"
        try:
            core = _core()
            self.device = str(core.get_property("CPU", "FULL_DEVICE_NAME")).strip()
            options = _options(precision, threads_per_lane(threads, lanes))
            known = None if identity is None else (identity, shape, str(options), self.version, self.device)
            compiled = [_compile(core, graph, shape, options, known) for _ in range(lanes)]
            self._requests = Lanes([model.create_infer_request() for model in compiled])
            ran = compiled[0].get_property("INFERENCE_PRECISION_HINT")
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot open {graph} for {shape}: {_cause(error)}.") from error
        if ran != _HINTS[precision]:
            raise EngineError(f"OpenVINO has no {precision} on this CPU ({self.device}); ask for fp32 or auto.")
        self.precision = precision
        self._outputs = [output.any_name for output in compiled[0].outputs]

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        with self._requests.borrowed() as request:
            request.infer([frames], share_inputs=True)
            # Copies: the tensors belong to the request and are overwritten by the next frame.
            return Prediction(**{name: np.array(request.get_tensor(name).data) for name in self._outputs})

    def _release(self) -> None:
        del self._requests


def _compile(
    core: openvino.Core, graph: Path, shape: Shape, options: dict[str, object], known: tuple[object, ...] | None
) -> openvino.CompiledModel:
    """The compiled model, from the cache where `known`, all that it depends on, is found there."""
    key = hashlib.sha256(repr(known).encode()).hexdigest()[:32]
    if known is not None and (kept := load_compiled(key)) is not None:
        # It refuses what was compiled for a CPU that could do more, under the same name: a virtual machine moved, say.
        with contextlib.suppress(RuntimeError):
            return core.import_model(io.BytesIO(kept), "CPU", options)
    model = core.read_model(graph)
    model.reshape([*shape, 3])
    compiled = core.compile_model(model, "CPU", options)
    if known is not None:
        keep_compiled(key, compiled.export_model().getvalue())
    return compiled


def _options(precision: str, threads: int | None) -> dict[str, object]:
    options: dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        # Pinned, two models of one thread each would both sit on the first core.
        "ENABLE_CPU_PINNING": False,
    }
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    return options


def _cause(error: RuntimeError) -> str:
    """The last line of what OpenVINO says; those before it name places in its source."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1].rstrip(".")
