"""What every inference engine does: run one graph of a bundle on a batch of prepared frames."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal

import numpy as np
import numpy.typing as npt

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.prediction import Prediction
from hemonode.runtime.preprocess import PADDING_GREY


def ignore(_: str) -> None:
    """For who does not want to be told."""


Shape = tuple[int, int, int]
"""(N, H, W) of the frames an engine is opened for; N is the largest batch it takes."""

AskedPrecision = Literal["auto", "fp32", "fp16", "bf16", "int8"]
"""What a user may ask an engine to compute in; `auto` leaves it to the engine and the machine."""


@dataclass(frozen=True)
class Opening:
    """What an engine is opened for; `hemonode.runtime.engines.open_engine` makes and checks it.

    Attributes:
        bundle: a checked bundle.
        shape: (N, H, W); H and W fit the bundle's graph.
        setting: name of a solver setting of the bundle.
        precision: what to compute in; an engine that cannot refuses, and never takes another one silently.
        threads: CPU threads in all; None leaves it to the library.
        lanes: how many calls of `run` may be in work at once, each with its share of the threads.
        may_build: whether it may take the minutes that building a plan costs.
        tell: called with a line for each thing that makes opening it take long.
    """

    bundle: Bundle
    shape: Shape
    setting: str
    precision: AskedPrecision = "auto"
    threads: int | None = None
    lanes: int = 1
    may_build: bool = False
    tell: Callable[[str], None] = ignore


class Engine(ABC):
    """One graph, opened for one frame size. Any thread may run and close it; closed once.

    Attributes:
        name: "tensorrt", "cuda", "openvino", "cpu".
        version: of the library that runs it.
        device: what it runs on, as a person would say it.
        precision: what it computes in: "fp32", "fp16", "bf16", "int8".
        shape: (N, H, W) it was opened for.
        batch_sizes: those it computes as they are, rising; others are filled up with grey frames.
        lanes: how many calls of `run` are in work at once; further ones wait.
        beside_cpu: whether it leaves the processor free for other work meanwhile.
        passed_over: where `auto` chose it, one sentence for each better engine that did not work.
        run_ms: what the latest run took, without waiting for a lane.
        remarks: sentences on choices the engine made that a user would want to know.
        memory_bytes: by how much this process grew when it was opened, where somebody measured it.
    """

    name: str
    version: str
    device: str
    precision: str
    shape: Shape
    batch_sizes: tuple[int, ...]
    lanes: int
    beside_cpu: bool = False
    passed_over: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    run_ms: float = 0.0
    memory_bytes: int | None = None

    def __init__(self, shape: Shape, *, batch_sizes: tuple[int, ...] = (), lanes: int = 1) -> None:
        self.shape = shape
        self.batch_sizes = batch_sizes or (shape[0],)
        self.lanes = lanes
        self._free_lanes = threading.Semaphore(lanes)
        self._closing = threading.Lock()
        self._closed = False

    def run(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        """Segment prepared frames.

        Args:
            frames: uint8 [n, H, W, 3] BGR, preprocessed, 1 ≤ n ≤ N, H and W as the engine was opened for.

        Returns:
            The answers for the n frames; the arrays are the caller's, no later run changes them.

        Raises:
            EngineError: wrong shape or dtype, use after close, or a failure inside the library.
        """
        self._check(frames)
        with self._free_lanes:
            self._check_open()
            started = time.perf_counter()
            try:
                found = self._infer(self._filled(frames))
            except EngineError:
                raise
            except Exception as error:  # each library raises its own types
                raise EngineError(f"The {self.name} engine failed on frames of {frames.shape}: {error}") from error
            self.run_ms = 1e3 * (time.perf_counter() - started)
        return _first(found, len(frames))

    def close(self) -> None:
        """Release the engine, after the runs in work. Calling it again does nothing."""
        with self._closing:
            if self._closed:
                return
            # First: a caller who runs without a pause would else take the lane again and again.
            self._closed = True
            for _ in range(self.lanes):
                self._free_lanes.acquire()
            self._free_lanes.release(self.lanes)
            self._release()

    @abstractmethod
    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        """Run the graph on contiguous frames of one of `batch_sizes`, in at most `lanes` threads at once.

        The arrays returned must not change any more.
        """

    @abstractmethod
    def _release(self) -> None:
        """Let go of what the library holds."""

    def warm_up(self, runs: int = 2) -> None:
        """Run on empty frames, so that the first real frame does not pay for lazy set-up."""
        for _ in range(runs * self.lanes):
            self.run(np.zeros((*self.shape, 3), np.uint8))

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError(f"The {self.name} engine was closed; open a new one.")

    def _check(self, frames: npt.NDArray[np.uint8]) -> None:
        most, height, width = self.shape
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1:] != (height, width, 3):
            raise EngineError(
                f"The {self.name} engine was opened for uint8 frames of {(*self.shape, 3)} "
                f"but was given {frames.dtype} {frames.shape}; open one for that size."
            )
        if not 1 <= len(frames) <= most:
            raise EngineError(
                f"The {self.name} engine was opened for 1 to {most} frames at once but was given {len(frames)}; "
                "open one for a larger batch, or give fewer."
            )

    def _filled(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        size = next(size for size in self.batch_sizes if size >= len(frames))
        if size == len(frames):
            return np.ascontiguousarray(frames)
        filled = np.full((size, *frames.shape[1:]), PADDING_GREY, np.uint8)
        filled[: len(frames)] = frames
        return filled


def _first(found: Prediction, count: int) -> Prediction:
    if len(found.class_ids) == count:
        return found
    errors = found.block_errors
    return replace(
        found,
        class_ids=found.class_ids[:count],
        peaks=found.peaks[:count],
        block_errors=None if errors is None else errors[:count],
    )
