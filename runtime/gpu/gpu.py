"""A GPU in the hands of one thread, which frees what it took, whatever goes wrong."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

import numpy as np
import numpy.typing as npt

from hemonode.errors import EngineError
from hemonode.runtime.gpu.calls import AnyArray, CudaCallError, CudaCalls
from hemonode.runtime.gpu.facts import GpuFacts
from hemonode.runtime.gpu.memory import DeviceMemory, Graph, MappedMemory
from hemonode.runtime.gpu.sentences import call_failed, no_room


class Gpu:
    """Memory, copies, one stream and graphs on one GPU, for the thread that made it alone.

    Several may be open at once, in one thread or several: they share the device's primary context with each other and
    with ONNX Runtime and TensorRT. Everything is freed by `close`, last first, or earlier by `free`; arrays of pinned
    and mapped memory must not be touched after that.

    Args:
        calls: the backend, not entered yet.
        passed_over: one sentence for each better backend that did not work.

    Attributes:
        stream: handle of a stream of its own, as `execute_async_v3` takes it.
        can_capture: whether `capture` works.
        backend: which package makes the calls.
        passed_over: as given.

    Raises:
        EngineError: (every method) a CUDA call failed, another thread called, or the GPU was closed.
    """

    def __init__(self, calls: CudaCalls, passed_over: tuple[str, ...] = ()) -> None:
        self.passed_over = passed_over
        self.backend = calls.backend
        self.can_capture = calls.can_capture
        self._calls = calls
        self._owner = threading.current_thread()
        self._closed = False
        self._held: list[tuple[object, Callable[[], None]]] = []
        with _told():
            calls.enter()
            self._held.append((calls, calls.leave))
            try:
                self.stream = calls.create_stream()
            except CudaCallError:
                calls.leave()
                raise
        self._held.append((self.stream, lambda: calls.destroy_stream(self.stream)))

    def facts(self) -> GpuFacts:
        """What the GPU is, and how much of its memory is free now."""
        with self.owned():
            return self._calls.facts()

    def device(self, size: int) -> DeviceMemory:
        """Memory on the device, in bytes.

        Raises:
            EngineError: there is no room; the sentence says how much was wanted and how much is free.
        """
        with self._room(size, "GPU memory"):
            memory = DeviceMemory(self._calls.allocate(size), size)
        self._held.append((memory, lambda: self._calls.free(memory.pointer)))
        return memory

    def pinned(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> AnyArray:
        """An uninitialised array in page-locked memory, which copies faster and while other work goes on.

        Raises:
            EngineError: as `device`.
        """
        size, dtype = _size(shape, dtype), np.dtype(dtype)
        with self._room(size, "page-locked memory"):
            raw = self._calls.allocate_pinned(size, mapped=False)
        array = raw.view(dtype).reshape(shape)
        self._held.append((array, lambda: self._calls.free_pinned(raw)))
        return array

    def mapped(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> MappedMemory:
        """An uninitialised array in page-locked memory that the device reaches, too; free of cost on integrated GPUs.

        Raises:
            EngineError: as `device`.
        """
        size, dtype = _size(shape, dtype), np.dtype(dtype)
        with self._room(size, "page-locked memory"):
            raw = self._calls.allocate_pinned(size, mapped=True)
            try:
                pointer = self._calls.mapped_pointer(raw)
            except CudaCallError:
                self._calls.free_pinned(raw)
                raise
        memory = MappedMemory(raw.view(dtype).reshape(shape), pointer)
        self._held.append((memory, lambda: self._calls.free_pinned(raw)))
        return memory

    def upload(self, memory: DeviceMemory, source: AnyArray) -> None:
        """Put a copy to the device on the stream. The source must stay as it is until `synchronise`."""
        with self.owned():
            _check_copy(memory, source)
            self._calls.copy_in(memory.pointer, source, self.stream)

    def download(self, target: AnyArray, memory: DeviceMemory) -> None:
        """Put a copy from the device on the stream. The target is filled after `synchronise`, not before."""
        with self.owned():
            _check_copy(memory, target)
            self._calls.copy_out(target, memory.pointer, self.stream)

    def synchronise(self) -> None:
        """Wait until all that was put on the stream is done. Errors of that work show here."""
        with self.owned():
            self._calls.synchronise(self.stream)

    def capture(self, work: Callable[[], None]) -> Graph:
        """Record what `work` puts on the stream instead of doing it. It must have run once before.

        Raises:
            EngineError: the backend has no graphs, or something in `work` cannot be recorded; the stream is usable
                again, nothing is kept.
        """
        if not self.can_capture:
            raise EngineError(f"{self.backend} has no CUDA graphs; install cuda-bindings, or run without them.")
        with self.owned():
            self._calls.begin_capture(self.stream)
            try:
                work()
            except BaseException:
                self._drop_capture()
                raise
            graph = Graph(self._calls.end_capture(self.stream))
        self._held.append((graph, lambda: self._calls.destroy_graph(graph.handle)))
        return graph

    def launch(self, graph: Graph) -> None:
        """Put the work of a graph on the stream."""
        with self.owned():
            self._calls.launch(graph.handle, self.stream)

    def keep(self, resource: object, release: Callable[[], None]) -> None:
        """Have something else released in its turn by `close` or `free`: what uses memory taken before it."""
        with self.owned():
            self._held.append((resource, release))

    def free(self, resource: object) -> None:
        """Free one thing before the rest: memory, an array of `pinned`, a graph, or what `keep` was given."""
        with self.owned():
            for place, (held, release) in enumerate(self._held):
                if held is resource:
                    self._calls.synchronise(self.stream)
                    del self._held[place]
                    release()
                    return
            raise EngineError("This GPU holds nothing of that kind, or freed it before.")

    @contextmanager
    def owned(self) -> Iterator[None]:
        """For CUDA calls made elsewhere: only in the owner's thread, and their errors become sentences."""
        if self._closed:
            raise EngineError("This GPU was closed; open it again.")
        if threading.current_thread() is not self._owner:
            raise EngineError(
                f"This GPU belongs to the thread {self._owner.name!r} but {threading.current_thread().name!r} "
                "used it; open one in each thread."
            )
        with _told():
            yield

    def close(self) -> None:
        """Free everything, last first. Calling it again does nothing.

        Raises:
            EngineError: another thread called, or CUDA refused to free something; the rest is freed all the same.
        """
        if self._closed:
            return
        first: CudaCallError | None = None
        with self.owned():
            self._closed = True
            # Nothing is freed while work that was put on the stream may still use it.
            self._held.append((self.stream, lambda: self._calls.synchronise(self.stream)))
            while self._held:
                try:
                    self._held.pop()[1]()
                except CudaCallError as error:
                    first = first or error
            if first is not None:
                raise first

    def __enter__(self) -> Gpu:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except EngineError:
            # After an error every further call may fail; the first one is the cause.
            if error is None:
                raise

    def _drop_capture(self) -> None:
        """The stream leaves its recording state, whatever was recorded."""
        try:
            self._calls.destroy_graph(self._calls.end_capture(self.stream))
        except CudaCallError:
            # CUDA reports here what made the work fail, which is told already.
            return

    @contextmanager
    def _room(self, size: int, kind: str) -> Iterator[None]:
        with self.owned():
            try:
                yield
            except CudaCallError as error:
                if error.out_of_memory:
                    raise EngineError(no_room(size, kind, self._calls.facts())) from error
                raise


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except CudaCallError as error:
        raise EngineError(call_failed(error)) from error


def _size(shape: tuple[int, ...], dtype: npt.DTypeLike) -> int:
    return math.prod(shape) * np.dtype(dtype).itemsize


def _check_copy(memory: DeviceMemory, array: AnyArray) -> None:
    if not array.flags.c_contiguous or array.nbytes > memory.size:
        raise EngineError(
            f"An array of {array.shape} {array.dtype} ({array.nbytes} bytes, "
            f"{'contiguous' if array.flags.c_contiguous else 'not contiguous'}) cannot be copied to or from "
            f"{memory.size} bytes on the GPU; give a contiguous array of at most that size."
        )
