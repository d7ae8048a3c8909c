"""What every inference engine does: run one graph of a bundle on a batch of prepared frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Literal

import numpy as np
import numpy.typing as npt

from hemonode.errors import EngineError
from hemonode.runtime.prediction import Prediction

Shape = tuple[int, int, int]
"""(N, H, W) of the frames an engine is opened for."""

AskedPrecision = Literal["auto", "fp32", "bf16"]
"""What a user may ask an engine to compute in; `auto` leaves it to the engine and the machine."""


class Engine(ABC):
    """One graph, opened for one input size. Used by one thread at a time, closed once.

    Threads that shall run at once have an engine each: the most frames per second come from as many engines as
    there are cores, each opened with `threads=1`.

    Attributes:
        name: "cpu", "openvino", …
        version: of the library that runs it.
        device: what it runs on, as a person would say it.
        precision: what it computes in: "fp32", "bf16", "fp16".
        shape: (N, H, W) it was opened for; `run` takes exactly that.
        passed_over: where `auto` chose it, one sentence for each better engine that did not work.
    """

    name: str
    version: str
    device: str
    precision: str
    shape: Shape
    passed_over: tuple[str, ...] = ()
    _closed: bool = False

    def run(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        """Segment prepared frames.

        Args:
            frames: uint8 [N, H, W, 3] BGR, preprocessed, of the shape the engine was opened for.

        Raises:
            EngineError: wrong shape or dtype, use after close, or a failure inside the library.
        """
        if self._closed:
            raise EngineError(f"The {self.name} engine was closed; open a new one.")
        if frames.dtype != np.uint8 or frames.shape != (*self.shape, 3):
            raise EngineError(
                f"The {self.name} engine was opened for uint8 frames of {(*self.shape, 3)} "
                f"but was given {frames.dtype} {frames.shape}; open one for that size."
            )
        try:
            return self._infer(np.ascontiguousarray(frames))
        except Exception as error:  # each library raises its own types
            raise EngineError(f"The {self.name} engine failed on frames of {self.shape}: {error}") from error

    def close(self) -> None:
        """Release the engine. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._release()

    @abstractmethod
    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        """Run the graph on contiguous frames of the right shape; the arrays returned are the caller's to keep."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of what the library holds."""

    def warm_up(self, runs: int = 2) -> None:
        """Run on empty frames, so that the first real frame does not pay for lazy set-up."""
        for _ in range(runs):
            self.run(np.zeros((*self.shape, 3), np.uint8))

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
