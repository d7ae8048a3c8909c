"""What every inference engine does: run one graph of a bundle on a batch of prepared frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType

import numpy as np
import numpy.typing as npt

from hemonode.runtime.prediction import Prediction


class Engine(ABC):
    """One graph, opened for one input size. Used by one thread at a time, closed once.

    Attributes:
        name: "cpu", "openvino", …
        version: of the library that runs it.
        device: what it runs on, as a person would say it.
        precision: what it computes in: "fp32", "bf16", "fp16".
        shape: (N, H, W) it was opened for; `run` takes exactly that.
    """

    name: str
    version: str
    device: str
    precision: str
    shape: tuple[int, int, int]

    @abstractmethod
    def run(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        """Segment prepared frames.

        Args:
            frames: uint8 [N, H, W, 3] BGR, preprocessed, of the shape the engine was opened for.

        Raises:
            EngineError: wrong shape or dtype, use after close, or a failure inside the library.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the engine. Calling it again does nothing."""

    def warm_up(self, runs: int = 2) -> None:
        """Run on empty frames, so that the first real frame does not pay for lazy set-up."""
        for _ in range(runs):
            self.run(np.zeros((*self.shape, 3), np.uint8))

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
