"""CUDA through NVIDIA's own `cuda-bindings`: its runtime API, 12.x and 13.x, on the primary context."""

from __future__ import annotations

import ctypes

import numpy as np
from cuda.bindings import runtime

from hemonode.errors import EngineError
from hemonode.runtime.gpu.calls import AnyArray, Bytes, CudaCallError, CudaCalls
from hemonode.runtime.gpu.checked import checked
from hemonode.runtime.gpu.facts import GpuFacts, device_uuid, free_bytes, version_text
from hemonode.runtime.gpu.sentences import call_failed, driver_too_old, no_device, no_driver

_IN = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
_OUT = runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
# What other threads do (an engine that allocates, say) must not spoil a capture.
_CAPTURE = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
_TOO_OLD = "cudaErrorInsufficientDriver"


def open_calls(index: int) -> CudaCalls:
    """The calls for one GPU; nothing is made current yet.

    Raises:
        EngineError: no driver, one too old for this cuda-bindings, or no such GPU.
    """
    driver = _driver_version()
    if driver == 0:
        raise EngineError(no_driver())
    try:
        count = int(checked(runtime.cudaGetDeviceCount))
    except CudaCallError as error:
        if error.name == _TOO_OLD:
            raise EngineError(driver_too_old(version_text(driver), _runtime_version())) from error
        if error.name != "cudaErrorNoDevice":
            raise EngineError(call_failed(error)) from error
        count = 0
    if not 0 <= index < count:
        raise EngineError(no_device(index, count))
    return CudaBindings(index)


class CudaBindings(CudaCalls):
    """One GPU through the runtime API."""

    backend = "cuda-bindings"
    can_capture = True

    def __init__(self, index: int) -> None:
        self._index = index

    def enter(self) -> None:
        checked(runtime.cudaSetDevice, self._index)
        # Before CUDA 12 that alone made no context; freeing nothing does.
        checked(runtime.cudaFree, 0)

    def leave(self) -> None:
        pass  # The runtime API keeps a current device for each thread.

    def facts(self) -> GpuFacts:
        found = checked(runtime.cudaGetDeviceProperties, self._index)
        free, total = checked(runtime.cudaMemGetInfo)
        integrated = bool(found.integrated)
        return GpuFacts(
            name=found.name.decode(),
            compute_capability=f"{found.major}.{found.minor}",
            uuid=device_uuid(found.uuid.bytes),
            total_bytes=int(total),
            free_bytes=free_bytes(int(free), integrated=integrated),
            integrated=integrated,
            driver_version=version_text(_driver_version()),
            runtime_version=_runtime_version(),
            backend=self.backend,
        )

    def create_stream(self) -> int:
        return int(checked(runtime.cudaStreamCreateWithFlags, runtime.cudaStreamNonBlocking))

    def destroy_stream(self, stream: int) -> None:
        checked(runtime.cudaStreamDestroy, stream)

    def synchronise(self, stream: int) -> None:
        checked(runtime.cudaStreamSynchronize, stream)

    def allocate(self, size: int) -> int:
        return int(checked(runtime.cudaMalloc, size))

    def free(self, pointer: int) -> None:
        checked(runtime.cudaFree, pointer)

    def allocate_pinned(self, size: int, *, mapped: bool) -> Bytes:
        flags = runtime.cudaHostAllocMapped if mapped else runtime.cudaHostAllocDefault
        address = int(checked(runtime.cudaHostAlloc, size, flags))
        return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def mapped_pointer(self, pinned: Bytes) -> int:
        return int(checked(runtime.cudaHostGetDevicePointer, pinned.ctypes.data, 0))

    def free_pinned(self, pinned: Bytes) -> None:
        checked(runtime.cudaFreeHost, pinned.ctypes.data)

    def copy_in(self, pointer: int, source: AnyArray, stream: int) -> None:
        checked(runtime.cudaMemcpyAsync, pointer, source.ctypes.data, source.nbytes, _IN, stream)

    def copy_out(self, target: AnyArray, pointer: int, stream: int) -> None:
        checked(runtime.cudaMemcpyAsync, target.ctypes.data, pointer, target.nbytes, _OUT, stream)

    def begin_capture(self, stream: int) -> None:
        checked(runtime.cudaStreamBeginCapture, stream, _CAPTURE)

    def end_capture(self, stream: int) -> int:
        recorded = int(checked(runtime.cudaStreamEndCapture, stream))
        try:
            return int(checked(runtime.cudaGraphInstantiate, recorded, 0))
        finally:
            checked(runtime.cudaGraphDestroy, recorded)

    def launch(self, graph: int, stream: int) -> None:
        checked(runtime.cudaGraphLaunch, graph, stream)

    def destroy_graph(self, graph: int) -> None:
        checked(runtime.cudaGraphExecDestroy, graph)


def _driver_version() -> int:
    """0 where there is none."""
    try:
        return int(checked(runtime.cudaDriverGetVersion))
    except CudaCallError as error:
        # cuda-bindings 12.6 to 12.8 cannot load libcuda.so.1 then, later ones answer 0.
        if error.name:
            raise EngineError(call_failed(error)) from error
        return 0


def _runtime_version() -> str:
    return version_text(int(checked(runtime.cudaRuntimeGetVersion)))
