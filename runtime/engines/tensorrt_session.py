"""Runs a loaded plan on frames: buffers, order of work, CUDA graph. Knows neither TensorRT nor CUDA by name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hemonode.errors import EngineError
from hemonode.runtime.gpu.buffers import ArrayKind, Buffers, HostMemory
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.memory import Graph
from hemonode.runtime.prediction import Prediction
from hemonode.runtime.preprocess import PADDING_GREY

FRAMES = "frames"
_OUTPUTS = {"class_ids": np.dtype(np.uint8), "peaks": np.dtype(np.float32)}
_MORE_OUTPUTS = {"block_errors": np.dtype(np.float32)}


@dataclass(frozen=True)
class Tensor:
    """An input or output of a plan; a size of -1 is set by the inputs' shapes."""

    name: str
    is_input: bool
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]


class Context(Protocol):
    """A loaded plan. Every call raises EngineError where TensorRT refuses it."""

    def tensors(self) -> tuple[Tensor, ...]:
        """Inputs and outputs."""
        ...

    def batch_range(self, name: str) -> tuple[int, int]:
        """Fewest and most frames that an input takes."""
        ...

    def set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Say how large an input will be."""
        ...

    def shape(self, name: str) -> tuple[int, ...]:
        """How large a tensor is, once the inputs' shapes are set."""
        ...

    def bind(self, name: str, pointer: int) -> None:
        """Say where on the device a tensor lies."""
        ...

    def execute(self, stream: int) -> None:
        """Put one run on a stream."""
        ...

    def close(self) -> None:
        """Give its memory back."""
        ...


@dataclass(frozen=True)
class SessionOptions:
    """How frames reach the GPU; the defaults are the fastest, the others are there to be measured.

    Attributes:
        cuda_graph: record the work once and launch it as one, where shapes are fixed and the backend can.
        memory: of the host's arrays; None is mapped on integrated GPUs, pinned on others.
    """

    cuda_graph: bool = True
    memory: HostMemory | None = None


FASTEST = SessionOptions()


class Session:
    """One plan on one GPU, for the thread that made it. Closing the GPU frees all of it.

    Args:
        gpu: of this thread.
        load: loads the plan; called in this thread.
        shape: (N, H, W), N the most frames at once.
        options: how frames reach the GPU.

    Attributes:
        batch_sizes: those that run as they are.
        remarks: sentences that the user should see.

    Raises:
        EngineError: the plan is not for these frames, there is no room, or its first run failed.
    """

    def __init__(
        self, gpu: Gpu, load: Callable[[], Context], shape: tuple[int, int, int], options: SessionOptions
    ) -> None:
        self._gpu = gpu
        self._shape = shape
        self.remarks: tuple[str, ...] = ()
        self._graph: Graph | None = None
        context = load()
        # Taken back after what is taken from now on: a run may still use it.
        gpu.keep(context, context.close)
        self._context = context
        tensors = {tensor.name: tensor for tensor in context.tensors()}
        self._check(tensors)
        self._static = -1 not in tensors[FRAMES].shape
        self.batch_sizes = (shape[0],) if self._static else self._range()
        context.set_shape(FRAMES, (*shape, 3))
        kinds = {name: ArrayKind(context.shape(name), tensor.dtype) for name, tensor in tensors.items()}
        inputs = {FRAMES: kinds.pop(FRAMES)}
        self._buffers = Buffers(gpu, inputs, kinds, options.memory)
        for name, pointer in self._buffers.pointers.items():
            context.bind(name, pointer)
        # What cannot run is found out now, while another engine can still be taken; and graphs want one run before.
        self.run(np.full((*shape, 3), PADDING_GREY, np.uint8))
        if options.cuda_graph and self._static and self._buffers.memory != "pageable":
            self._record()

    @property
    def has_graph(self) -> bool:
        """Whether runs are launched as one recorded graph."""
        return self._graph is not None

    def run(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        """Answers for frames [n, H, W, 3], n one of `batch_sizes`; the arrays are the caller's."""
        count = len(frames)
        if not self._static:
            self._context.set_shape(FRAMES, frames.shape)
        self._buffers.inputs[FRAMES][:count] = frames
        try:
            if self._graph is None:
                self._enqueue()
            else:
                self._gpu.launch(self._graph)
        except EngineError:
            # A copy may be on its way already: the buffers must not be touched or freed before it ends.
            with contextlib.suppress(EngineError):
                self._gpu.synchronise()
            raise
        self._gpu.synchronise()
        # Copies: the next run overwrites the buffers.
        answers: dict[str, Any] = {name: array[:count].copy() for name, array in self._buffers.outputs.items()}
        return Prediction(**answers)

    def _enqueue(self) -> None:
        self._buffers.upload()
        self._context.execute(self._gpu.stream)
        self._buffers.download()

    def _record(self) -> None:
        if not self._gpu.can_capture:
            self.remarks = (f"{self._gpu.backend} has no CUDA graphs; with cuda-bindings a frame costs less CPU time.",)
            return
        try:
            self._graph = self._gpu.capture(self._enqueue)
        except EngineError as error:
            self.remarks = (f"The engine runs without a CUDA graph: {error}",)
            # A capture that failed may leave its error behind; without this run it would show in a frame.
            self.run(np.full((*self._shape, 3), PADDING_GREY, np.uint8))

    def _range(self) -> tuple[int, ...]:
        least, most = self._context.batch_range(FRAMES)
        return tuple(range(least, min(most, self._shape[0]) + 1))

    def _check(self, tensors: dict[str, Tensor]) -> None:
        wanted = (*self._shape, 3)
        inputs = {name: tensor for name, tensor in tensors.items() if tensor.is_input}
        outputs = {name: tensor.dtype for name, tensor in tensors.items() if not tensor.is_input}
        fits = inputs.keys() == {FRAMES} and all(
            told in (-1, size) for told, size in zip(inputs[FRAMES].shape, wanted, strict=True)
        )
        if not fits or not _OUTPUTS.items() <= outputs.items() <= (_OUTPUTS | _MORE_OUTPUTS).items():
            told = ", ".join(f"{tensor.name} {tensor.dtype} {tensor.shape}" for tensor in tensors.values())
            raise EngineError(
                f"The built engine is not for frames of {wanted} (it has {told}); build it again: hemonode build."
            )
