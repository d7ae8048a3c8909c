"""A bundle at work: its engines, the care for them, and the better ones that are built beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.engines.shelf import Rung
from hemonode.runtime.live.better_engine import NICED, BetterEngine
from hemonode.runtime.live.care import EngineCare
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.ladder import Ladder
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.plans.frames import Size, camera_frames
from hemonode.runtime.plans.machine import this_machine
from hemonode.runtime.plans.store import PlanStore
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.segmentation import Segmentation

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class EngineWish:
    """On what to run; see `hemonode.runtime.live.model.LiveModel`."""

    engine: str
    precision: AskedPrecision
    cores: int
    tell: Callable[[str], None]


class RunningBundle:
    """For any thread. Close it after the last frame.

    Args:
        bundle: the model.
        bundle_id: of it among the choices.
        wish: on what to run.
        setting: to begin with; None is the bundle's default.
        log: hears of every change.
        faults: hears of what failed.

    Raises:
        BundleError: no such setting.
        EngineError: no engine works here.
    """

    def __init__(
        self, bundle: Bundle, bundle_id: str, wish: EngineWish, setting: str | None, log: EventLog, faults: FaultLog
    ) -> None:
        self.id = bundle_id
        self.bundle = bundle
        self.segmenter = Segmenter(
            bundle,
            engine=wish.engine,
            setting=setting,
            precision=wish.precision,
            threads=wish.cores,
            lanes=wish.cores,
            tell=wish.tell,
            quick_start=True,
        )
        self._better = _better_engine(wish, self.segmenter, log, faults)
        names = tuple(rung.name for rung in bundle.manifest.settings)
        self.ladder = Ladder(self.segmenter.engines, names, log, faults, self._build_for)
        self.care = EngineCare(self.segmenter, log, faults, self._relieve)

    def segment(self, pixels: Pixels, red_cell_px: float, setting: str | None) -> Segmentation:
        """See `LiveModel.segment`."""
        chosen = setting if setting in self.names else self.segmenter.setting
        try:
            found = self.segmenter.segment(pixels, red_cell_px=red_cell_px, setting=chosen)
        except Exception as error:
            self.care.failed(chosen, error)
            raise
        self.care.worked()
        self.ladder.came(camera_frames(_size(pixels), red_cell_px, self.bundle.manifest), chosen)
        return found

    def warm_up(self, picture: Size, red_cell_px: float) -> None:
        """Open the engine for pictures of this height and width, before the first comes.

        Raises:
            EngineError: it cannot be opened, or does not run.
        """
        frame = camera_frames(picture, red_cell_px, self.bundle.manifest)
        with self.segmenter.engines.using(Rung(self.segmenter.setting, (1, *frame))) as engine:
            engine.warm_up()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the solver settings, from cheap to exact."""
        return tuple(rung.name for rung in self.bundle.manifest.settings)

    def request_stop(self) -> None:
        """Open and build nothing more."""
        self.ladder.request_stop()
        if self._better is not None:
            self._better.request_stop()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: an engine is still being opened, and is left behind."""
        return self.ladder.join(deadline_s)

    def close(self) -> None:
        """Release the engines."""
        self.request_stop()
        self.segmenter.close()

    def _build_for(self, frame: Size) -> None:
        if self._better is not None:
            self._better.build_for(frame)

    def _relieve(self, setting: str, seconds: float) -> None:
        self.ladder.rest(seconds)
        self.segmenter.engines.throw_away(lambda rung: rung.setting != setting)


def _size(pixels: Pixels) -> Size:
    return pixels.shape[0], pixels.shape[1]


def _better_engine(wish: EngineWish, segmenter: Segmenter, log: EventLog, faults: FaultLog) -> BetterEngine | None:
    """What builds TensorRT plans while another engine works, where the choice is ours and the machine can."""
    graphs = {name for rung in segmenter.bundle.manifest.settings for name in rung.graphs}
    precision = next((name for name in graphs if name == wish.precision), None)
    if wish.engine != "auto" or (precision is None and wish.precision != "auto"):
        return None
    try:
        machine = this_machine()
    except EngineError:
        return None  # the engines passed over tell the reason
    return BetterEngine(segmenter, machine, PlanStore(command=NICED), log, faults, precision)
