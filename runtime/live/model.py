"""A bundle on an engine, with all of its solver settings, that can be changed while frames flow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.engines.contract import AskedPrecision, Engine
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.status import ModelStatus
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.segmentation import Segmentation

Pixels = npt.NDArray[np.uint8]


class LiveModel:
    """For any thread. Close it.

    Args:
        bundle: the model.
        bundle_id: of it among the choices.
        engine: an engine's name, or "auto".
        setting: solver setting to begin with; None is the bundle's default.
        precision: see `hemonode.runtime.engines.open_engine`.
        cores: processor cores to work on.
        log: hears of every change.
        faults: hears of what failed.
        tell: called with a line for each thing that makes opening an engine take long.

    Raises:
        EngineError: no engine works here.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        bundle_id: str,
        engine: str,
        setting: str | None,
        precision: AskedPrecision,
        cores: int,
        log: EventLog,
        faults: FaultLog,
        tell: Callable[[str], None],
    ) -> None:
        self._id = bundle_id
        self._log = log
        self._faults = faults
        self._segmenter = Segmenter(
            bundle, engine=engine, setting=setting, precision=precision, threads=cores, lanes=cores, tell=tell
        )

    @property
    def manifest(self) -> Manifest:
        """Of the bundle in use."""
        return self._segmenter.bundle.manifest

    @property
    def engine(self) -> Engine:
        """The engine used last."""
        return self._segmenter.engine

    @property
    def introduction(self) -> list[str]:
        """Lines for the terminal on what runs, and why nothing better."""
        from hemonode.runtime.introduction import introduction

        return introduction(self._segmenter)

    def start(self) -> None:
        """Begin to open the other settings in the background."""

    def segment(self, pixels: Pixels, *, red_cell_px: float, setting: str | None = None) -> Segmentation:
        """Mask and cells of one picture, uint8 [H, W, 3] BGR.

        Raises:
            EngineError: the engine failed, or the picture holds more cells than can be listed.
        """
        return self._segmenter.segment(pixels, red_cell_px=red_cell_px)

    def measure_red_cell_px(self, pixels: Pixels) -> float:
        """Red-cell diameter in px of a picture, uint8 [H, W, 3] BGR.

        Raises:
            PictureError: too few red cells were found.
        """
        return self._segmenter.measure_red_cell_px(pixels)

    def change(self, bundle_id: str, open_it: Callable[[], Bundle]) -> None:
        """Open a bundle in the background and put it in place when it is warm; where it fails, the one before stays."""

    def on_change(self, listener: Callable[[Manifest], None]) -> None:
        """Have every later change of the bundle told, just before its first frame."""

    def status(self) -> ModelStatus:
        """What runs on what."""
        segmenter, engine = self._segmenter, self._segmenter.engine
        return ModelStatus(
            id=self._id,
            bundle=self.manifest.name,
            sha256=segmenter.bundle.sha256,
            model=self.manifest.model,
            engine=engine.name,
            version=engine.version,
            device=engine.device,
            precision=engine.precision,
            passed_over=engine.passed_over,
            remarks=segmenter.remarks,
        )

    def request_stop(self) -> None:
        """Stop what goes on in the background."""

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: an engine does not answer and is left behind."""
        return True

    def close(self) -> None:
        """Release the engines, after the frames in work; after `join`."""
        self._segmenter.close()
