"""The governor: frames go through it to the model, on the setting that it holds to be right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.host import HostWatch
from hemonode.runtime.live.model import LiveModel
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.status import SolverStatus
from hemonode.runtime.live.view import SolverWish
from hemonode.runtime.segmentation import Segmentation


class Governor:
    """A frame segmenter for the pipeline and a sink of its results.

    Args:
        model: that the frames go to.
        log: hears of every move, with its reason.
        host: temperatures and power mode.
        wish: what to hold.
    """

    name = "governor"

    def __init__(self, model: LiveModel, log: EventLog, host: HostWatch, wish: SolverWish) -> None:
        self._model = model
        self._log = log
        self._host = host
        self._wish = wish

    def segment(self, pixels: npt.NDArray[np.uint8], *, red_cell_px: float) -> Segmentation:
        """See `LiveModel.segment`."""
        return self._model.segment(pixels, red_cell_px=red_cell_px)

    def measure_red_cell_px(self, pixels: npt.NDArray[np.uint8]) -> float:
        """See `LiveModel.measure_red_cell_px`."""
        return self._model.measure_red_cell_px(pixels)

    def give_up(self, thread: int) -> bool:
        """The pipeline's worker with this identity did not come back; see `LiveModel.give_up`."""
        return False

    def accept(self, result: Result) -> None:
        """As a sink of the pipeline: what the frame took."""

    def wish(self, wish: SolverWish) -> None:
        """Hold another setting or target.

        Raises:
            UnknownNameError: the bundle has no such setting.
        """
        self._wish = wish

    def status(self) -> SolverStatus:
        """What it does, and why."""
        setting = self._model.manifest.default_setting
        return SolverStatus(
            mode=self._wish.mode,
            target=self._wish.target,
            target_ms=self._wish.target_ms,
            setting=setting,
            reason="the bundle's default",
            limited_by=None,
            moves=0,
            stepped_up=0,
            rungs=(),
            error=None,
            memory_bytes=None,
        )
