"""An ONNX Runtime session on a GPU, whose inputs and outputs stay in memory that is taken once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from hemonode.errors import EngineError
from hemonode.runtime.engines.contract import Shape
from hemonode.runtime.engines.onnxruntime_session import VERSION, open_session, session_options
from hemonode.runtime.gpu.buffers import ArrayKind, Buffers, HostMemory
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.sentences import out_of_memory
from hemonode.runtime.prediction import Prediction
from hemonode.runtime.preprocess import PADDING_GREY

PROVIDER = "CUDAExecutionProvider"
_FRAMES = "frames"
_DTYPES: dict[str, np.dtype[np.generic]] = {
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(float)": np.dtype(np.float32),
}
_DEFAULT_SEVERITY, _SILENT = 2, 4
# What CUDA, cuDNN and ONNX Runtime's own allocator say.
_NO_MEMORY = ("out of memory", "alloc_failed", "failed to allocate memory", "smaller than requested bytes")


def provider_options(stream: int, device: int = 0) -> dict[str, str]:
    """How ONNX Runtime uses the GPU.

    Args:
        stream: handle of the stream that it puts its work on: ours, so that copies and work need no waiting in between.
        device: number of the GPU.
    """
    return {
        "device_id": str(device),
        "user_compute_stream": str(stream),
        # Ten bits of mantissa instead of 23, on by default: an fp32 that is none.
        "use_tf32": "0",
        # Algorithms are tried out in the first run, on frames of the only size there will be.
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        # Memory grows by what is asked for, not to the next power of two: a Jetson shares it with everything else.
        "arena_extend_strategy": "kSameAsRequested",
    }


class CudaSession:
    """One graph on one GPU, for the thread that owns it. Closing the GPU frees all of it.

    Args:
        gpu: of this thread.
        graph: an ONNX graph whose sizes N, H and W are open.
        shape: (N, H, W) of every run.
        memory: of the host's arrays; None is mapped on integrated GPUs, pinned on others.
        missing_libraries: file names of what is known to be missing.

    Attributes:
        remarks: sentences that the user should see.

    Raises:
        EngineError: ONNX Runtime fell back to the CPU, refused the graph, or its first run failed.
    """

    def __init__(
        self,
        gpu: Gpu,
        graph: Path,
        shape: Shape,
        memory: HostMemory | None = None,
        missing_libraries: tuple[str, ...] = (),
    ) -> None:
        self._gpu = gpu
        self._binding: Any = None
        self._session: Any = _open(graph, shape, provider_options(gpu.stream), missing_libraries)
        # Let go of before the stream, which it uses to the last.
        gpu.keep(self, self._release)
        self.remarks = _left_to_cpu(self._session)
        inputs = {_FRAMES: ArrayKind((*shape, 3), np.dtype(np.uint8))}
        # ONNX Runtime 1.23, the last one for Python 3.10, leaves the batch's name in some outputs.
        sizes = dict(zip("NHW", shape, strict=True))
        outputs = {
            output.name: ArrayKind(tuple(sizes.get(side, side) for side in output.shape), _DTYPES[output.type])
            for output in self._session.get_outputs()
        }
        self._buffers = Buffers(gpu, inputs, outputs, memory)
        self._binding = self._bound(inputs, outputs)
        # Our own synchronisation follows in each run, after the copies.
        self._run_options = onnxruntime.RunOptions()
        self._run_options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        # What cannot run is found out now, while another engine can still be taken.
        self.run(np.full((*shape, 3), PADDING_GREY, np.uint8))

    def run(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        """Answers for frames [N, H, W, 3]; the arrays are the caller's.

        Raises:
            EngineError: out of memory, or a failure inside CUDA.
        """
        np.copyto(self._buffers.inputs[_FRAMES], frames)
        self._buffers.upload()
        try:
            self._session.run_with_iobinding(self._binding, self._run_options)
        except Exception as error:  # the library's types have no common base
            if any(sign in str(error).lower() for sign in _NO_MEMORY):
                raise EngineError(out_of_memory(VERSION, self._gpu.facts())) from error
            raise EngineError(f"{VERSION} failed on the GPU: {' '.join(str(error).split())}") from error
        self._buffers.download()
        self._gpu.synchronise()
        # Copies: the next run overwrites the buffers.
        answers: dict[str, Any] = {name: array.copy() for name, array in self._buffers.outputs.items()}
        return Prediction(**answers)

    def _bound(self, inputs: dict[str, ArrayKind], outputs: dict[str, ArrayKind]) -> onnxruntime.IOBinding:
        binding = self._session.io_binding()
        pointers = self._buffers.pointers
        for name, kind in inputs.items():
            binding.bind_input(name, "cuda", 0, kind.dtype.type, kind.shape, pointers[name])
        for name, kind in outputs.items():
            binding.bind_output(name, "cuda", 0, kind.dtype.type, kind.shape, pointers[name])
        return binding

    def _release(self) -> None:
        self._binding = self._session = None


def _open(
    graph: Path, shape: Shape, options_of_provider: dict[str, str], missing_libraries: tuple[str, ...]
) -> onnxruntime.InferenceSession:
    # Everything but preparation is done on the GPU; more threads would only wait.
    options = session_options(1)
    for axis, size in zip("NHW", shape, strict=True):
        options.add_free_dimension_override_by_name(axis, size)
    if hasattr(onnxruntime.InferenceSession, "get_provider_graph_assignment_info"):
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    # It logs a failure to load CUDA in three lines of its own; the sentence below says it.
    onnxruntime.set_default_logger_severity(_SILENT)
    try:
        session = open_session(graph, options, [(PROVIDER, options_of_provider), "CPUExecutionProvider"])
    finally:
        onnxruntime.set_default_logger_severity(_DEFAULT_SEVERITY)
    if PROVIDER not in session.get_providers():
        why = f" ({', '.join(missing_libraries)} not found)" if missing_libraries else ""
        raise EngineError(
            f"{VERSION} could not load CUDA or cuDNN and fell back to the CPU{why}; "
            "pip install 'onnxruntime-gpu[cuda,cudnn]'."
        )
    return session


def _left_to_cpu(session: onnxruntime.InferenceSession) -> tuple[str, ...]:
    """Which work ONNX Runtime does not do on the GPU, where it tells (from 1.24 on)."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return ()
    parts = [part for part in session.get_provider_graph_assignment_info() if part.ep_name != PROVIDER]
    left = Counter(node.op_type for part in parts for node in part.get_nodes())
    if not left:
        return ()
    return (f"{VERSION} leaves {', '.join(f'{count} {kind}' for kind, count in left.most_common())} to the CPU.",)
