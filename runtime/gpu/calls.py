"""The few CUDA calls that everything here is built from, as each backend provides them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from hemonode.runtime.gpu.facts import GpuFacts

Bytes = npt.NDArray[np.uint8]
AnyArray = npt.NDArray[np.generic]


class CudaCallError(Exception):
    """A CUDA call failed. `Gpu` makes a sentence of it.

    Args:
        call: "cudaMalloc".
        name: of the error, "cudaErrorMemoryAllocation"; empty where the backend tells only a text.
        text: what CUDA says it means.
        out_of_memory: whether more memory would have helped.
    """

    def __init__(self, call: str, name: str, text: str, *, out_of_memory: bool = False) -> None:
        super().__init__(f"{call}: {name} ({text})" if name else f"{call}: {text}")
        self.call = call
        self.name = name
        self.text = text
        self.out_of_memory = out_of_memory


class CudaCalls(ABC):
    """CUDA on one device in one thread. Pointers, streams and graphs are plain integers, as TensorRT takes them.

    Every method raises CudaCallError where CUDA reports an error.

    Attributes:
        backend: a name of `hemonode.runtime.gpu.BACKENDS`.
        can_capture: whether the four graph calls work.
    """

    backend: str
    can_capture: bool

    @abstractmethod
    def enter(self) -> None:
        """Make the device's primary context current in the calling thread."""

    @abstractmethod
    def leave(self) -> None:
        """Undo `enter`, in the same thread."""

    @abstractmethod
    def facts(self) -> GpuFacts:
        """What the device is."""

    @abstractmethod
    def create_stream(self) -> int:
        """A stream that does not wait for the default one."""

    @abstractmethod
    def destroy_stream(self, stream: int) -> None:
        """Let go of a stream."""

    @abstractmethod
    def synchronise(self, stream: int) -> None:
        """Wait until all that was put on the stream is done."""

    @abstractmethod
    def allocate(self, size: int) -> int:
        """Bytes on the device; returns their address there."""

    @abstractmethod
    def free(self, pointer: int) -> None:
        """Give `allocate`'s bytes back."""

    @abstractmethod
    def allocate_pinned(self, size: int, *, mapped: bool) -> Bytes:
        """Page-locked memory of the host, uint8 [size]; with `mapped` the device can reach it, too."""

    @abstractmethod
    def mapped_pointer(self, pinned: Bytes) -> int:
        """The device's address of mapped memory."""

    @abstractmethod
    def free_pinned(self, pinned: Bytes) -> None:
        """Give `allocate_pinned`'s memory back; the array must not be touched any more."""

    @abstractmethod
    def copy_in(self, pointer: int, source: AnyArray, stream: int) -> None:
        """Put a copy of a contiguous array to the device on the stream."""

    @abstractmethod
    def copy_out(self, target: AnyArray, pointer: int, stream: int) -> None:
        """Put a copy from the device to a contiguous array on the stream."""

    # Not abstract: a backend without `can_capture` has none of the four.

    def begin_capture(self, stream: int) -> None:
        """From now on what is put on the stream is recorded instead of done."""
        raise NotImplementedError

    def end_capture(self, stream: int) -> int:
        """Stop recording; returns a graph that is ready to launch."""
        raise NotImplementedError

    def launch(self, graph: int, stream: int) -> None:
        """Put all that a graph recorded on the stream."""
        raise NotImplementedError

    def destroy_graph(self, graph: int) -> None:
        """Let go of a graph."""
        raise NotImplementedError
