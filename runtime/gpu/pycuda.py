"""CUDA through `pycuda`, for Jetson images that already have it: the primary context, and no graphs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hemonode.errors import EngineError
from hemonode.runtime.gpu.calls import AnyArray, Bytes, CudaCallError, CudaCalls
from hemonode.runtime.gpu.facts import GpuFacts, free_bytes, version_text
from hemonode.runtime.gpu.sentences import call_failed, no_device, no_driver

try:
    from pycuda import driver
except ImportError as error:
    if "libcuda" not in str(error):
        raise
    # pycuda is linked with the driver and cannot even be loaded without.
    raise EngineError(no_driver()) from error

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING; pycuda has no name for it

_contexts: dict[int, Any] = {}
"""By device, one for the whole process and never detached: pycuda refuses to free memory through another object for the
same context, and its detach leaves a primary context current that may be gone."""
_retaining = threading.Lock()


def open_calls(index: int) -> CudaCalls:
    """The calls for one GPU; nothing is made current yet.

    Raises:
        EngineError: no such GPU, or the driver does not work.
    """
    try:
        with _translated():
            driver.init()
            count = driver.Device.count()
    except CudaCallError as error:
        if "no CUDA-capable device" not in error.text:
            raise EngineError(call_failed(error)) from error
        count = 0
    if not 0 <= index < count:
        raise EngineError(no_device(index, count))
    return PyCuda(index)


class PyCuda(CudaCalls):
    """One GPU through the driver API. Holds pycuda's objects, which own what the numbers stand for."""

    backend = "pycuda"
    can_capture = False

    def __init__(self, index: int) -> None:
        self._index = index
        self._streams: dict[int, Any] = {}
        self._allocations: dict[int, Any] = {}

    def enter(self) -> None:
        with _translated(), _retaining:
            if self._index not in _contexts:
                _contexts[self._index] = driver.Device(self._index).retain_primary_context()
            _contexts[self._index].push()

    def leave(self) -> None:
        with _translated():
            driver.Context.pop()

    def facts(self) -> GpuFacts:
        with _translated():
            device = driver.Device(self._index)
            major, minor = device.compute_capability()
            integrated = bool(device.get_attribute(driver.device_attribute.INTEGRATED))
            free, total = driver.mem_get_info()
            return GpuFacts(
                name=device.name(),
                compute_capability=f"{major}.{minor}",
                uuid=None,
                total_bytes=int(total),
                free_bytes=free_bytes(int(free), integrated=integrated),
                integrated=integrated,
                driver_version=version_text(driver.get_driver_version()),
                runtime_version="{}.{}".format(*driver.get_version()),
                backend=self.backend,
            )

    def create_stream(self) -> int:
        with _translated():
            stream = driver.Stream(_NON_BLOCKING)
        self._streams[stream.handle] = stream
        return int(stream.handle)

    def destroy_stream(self, stream: int) -> None:
        # pycuda destroys a stream with the object, and warns on standard error where it cannot.
        del self._streams[stream]

    def synchronise(self, stream: int) -> None:
        with _translated():
            self._streams[stream].synchronize()

    def allocate(self, size: int) -> int:
        with _translated():
            allocation = driver.mem_alloc(size)
        pointer = int(allocation)
        self._allocations[pointer] = allocation
        return pointer

    def free(self, pointer: int) -> None:
        with _translated():
            self._allocations.pop(pointer).free()

    def allocate_pinned(self, size: int, *, mapped: bool) -> Bytes:
        flags = driver.host_alloc_flags.DEVICEMAP if mapped else 0
        with _translated():
            pinned: Bytes = driver.pagelocked_empty(size, np.uint8, mem_flags=flags)
        return pinned

    def mapped_pointer(self, pinned: Bytes) -> int:
        allocation: Any = pinned.base
        with _translated():
            return int(allocation.get_device_pointer())

    def free_pinned(self, pinned: Bytes) -> None:
        allocation: Any = pinned.base
        with _translated():
            allocation.free()

    def copy_in(self, pointer: int, source: AnyArray, stream: int) -> None:
        with _translated():
            driver.memcpy_htod_async(pointer, source, self._streams[stream])

    def copy_out(self, target: AnyArray, pointer: int, stream: int) -> None:
        with _translated():
            driver.memcpy_dtoh_async(target, pointer, self._streams[stream])


@contextmanager
def _translated() -> Iterator[None]:
    """Pycuda's errors read "cuMemAlloc failed: out of memory"."""
    try:
        yield
    except driver.Error as error:
        call, _, text = str(error).partition(" failed: ")
        raise CudaCallError(call, "", text or call, out_of_memory=isinstance(error, driver.MemoryError)) from error
