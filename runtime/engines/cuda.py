"""ONNX Runtime on an NVIDIA GPU: needs no building, and runs what TensorRT cannot."""

from __future__ import annotations

import contextlib
import io
import platform
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from hemonode.errors import EngineError
from hemonode.runtime.engines.contract import Engine, Opening, Shape
from hemonode.runtime.engines.cuda_session import PROVIDER, CudaSession
from hemonode.runtime.engines.onnxruntime_session import VERSION
from hemonode.runtime.gpu import gpu_facts, open_gpu
from hemonode.runtime.gpu.buffers import HostMemory
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.owner import GpuOwner
from hemonode.runtime.plans.order import usual_precision
from hemonode.runtime.prediction import Prediction


def open_engine(opening: Opening, memory: HostMemory | None = None) -> Engine:
    """See `hemonode.runtime.engines.open_engine`. Precision "auto" is fp16 where bundle and GPU are made for it.

    Args:
        opening: what to open.
        memory: of the host's arrays, to measure with; None is the fastest.

    Raises:
        EngineError: ONNX Runtime is the build for CPUs, no GPU, CUDA's libraries are missing, no such graph.
    """
    require_cuda_build()
    facts = gpu_facts()
    precision = opening.precision
    if precision == "auto":
        precision = usual_precision(opening.bundle, opening.setting, facts.compute_capability)
    if precision not in ("fp32", "fp16"):
        raise EngineError(f"ONNX Runtime computes in fp32 or fp16 on a GPU, not in {precision}; ask for auto.")
    graph = opening.bundle.graph_path(opening.setting, precision)
    missing = load_cuda_libraries()
    return CudaEngine(graph, opening.shape, precision, facts.name, missing_libraries=missing, memory=memory)


def require_cuda_build() -> None:
    """Refuse an ONNX Runtime that was built for CPUs only.

    Raises:
        EngineError: it was.
    """
    if PROVIDER not in onnxruntime.get_available_providers():
        # There is no wheel of the other build for Jetson's processor and Python.
        advice = "pip uninstall onnxruntime, then pip install 'hemonode[cuda]'"
        if platform.machine() == "aarch64":
            advice = "use TensorRT, which is faster (hemonode build)"
        raise EngineError(f"{VERSION} is the build for CPUs; {advice}.")


def load_cuda_libraries() -> tuple[str, ...]:
    """Load CUDA and cuDNN from where pip puts them, which the system's loader does not search.

    Returns:
        Those that ONNX Runtime did not find, by file name.
    """
    said = io.StringIO()
    # It prints, which would spoil a JSON answer on standard output.
    with contextlib.redirect_stdout(said):
        if hasattr(onnxruntime, "preload_dlls"):  # from 1.21 on
            onnxruntime.preload_dlls()
    return tuple(re.findall(r"Failed to load ([^\s:]+)", said.getvalue()))


class CudaEngine(Engine):
    """A session in the hands of a thread of its own, which alone touches its GPU memory.

    ONNX Runtime may be called from any thread; the buffers and the stream that it works on may not.

    Args:
        graph: in `precision`.
        shape: (N, H, W) of the frames.
        precision: of the graph.
        device: the GPU's name.
        missing_libraries: as `load_cuda_libraries` returned them, to explain a failure.
        memory: of the host's arrays.
        take_gpu: opens the GPU.

    Raises:
        EngineError: see `CudaSession`.
    """

    name = "cuda"
    version = VERSION
    beside_cpu = True

    def __init__(
        self,
        graph: Path,
        shape: Shape,
        precision: str,
        device: str,
        *,
        missing_libraries: tuple[str, ...] = (),
        memory: HostMemory | None = None,
        take_gpu: Callable[[], Gpu] = open_gpu,
    ) -> None:
        self.precision = precision
        self.device = device

        def build(gpu: Gpu) -> CudaSession:
            return CudaSession(gpu, graph, shape, memory, missing_libraries)

        self._owner = GpuOwner("cuda", build, take_gpu)
        self.remarks = self._owner.ask(lambda session: session.remarks)
        # Of one size: cuDNN tries out its algorithms at the first run of each.
        super().__init__(shape)

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        return self._owner.ask(lambda session: session.run(frames))

    def _release(self) -> None:
        self._owner.close()
