"""OpenVINO, or ONNX Runtime where that is missing, with faults on command."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from hemonode.benchmarks.chaos.switches import HANG_S, SWITCHES
from hemonode.runtime.engines import open_engine as open_any
from hemonode.runtime.engines.contract import Engine, Opening
from hemonode.runtime.prediction import Prediction


class ChaoticEngine(Engine):
    """The engine that `auto` takes here, unless a fault strikes."""

    name = "chaotic"

    def __init__(self, inner: Engine) -> None:
        super().__init__(inner.shape, batch_sizes=inner.batch_sizes, lanes=inner.lanes)
        self.version, self.device, self.precision = inner.version, inner.device, inner.precision
        self.beside_cpu = inner.beside_cpu
        self._inner = inner

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        if SWITCHES["engine_throws"].strikes():
            raise RuntimeError("an error of the engine's library")
        if SWITCHES["engine_hangs"].strikes():
            time.sleep(HANG_S)
        return self._inner.run(frames)

    def _release(self) -> None:
        self._inner.close()


def open_engine(opening: Opening) -> Engine:
    """See `hemonode.runtime.engines.open_engine`."""
    inner = open_any(
        opening.bundle,
        opening.shape,
        setting=opening.setting,
        precision=opening.precision,
        threads=opening.threads,
        lanes=opening.lanes,
    )
    return ChaoticEngine(inner)
