"""A running live view: camera, workers, page and stream, started and stopped together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hemonode import __version__
from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.condition import condition
from hemonode.runtime.live.crew import Crew
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.pipeline import FrameSegmenter, Pipeline
from hemonode.runtime.live.result import Sink
from hemonode.runtime.live.scale import LiveScale
from hemonode.runtime.live.status import Condition
from hemonode.runtime.web.encode import PageSink
from hemonode.runtime.web.hub import Hub

STOP_S = 2.0
"""A stop never takes longer: what does not answer by then is left behind."""


@dataclass(frozen=True)
class ModelInfo:
    """Which model runs on what, as the page tells it."""

    bundle: str
    model: str
    setting: str
    engine: str
    version: str
    device: str
    precision: str
    passed_over: tuple[str, ...] = ()
    """Why better engines do not work here, one sentence each."""
    remarks: tuple[str, ...] = ()
    """What else the engine has to say about its choices."""


class LiveSession:
    """One camera through one model to the page. Start it, serve its `hub`, stop it.

    Args:
        camera: open; it belongs to the session from now on.
        reopen: opens the same camera again after a failure.
        segmenter: the caller closes it after `stop`.
        crew: how many frames are in work at once.
        model: tells what runs now; the page shows it.
        faults: of all parts.
        sinks: get every result, beside the page.
    """

    def __init__(
        self,
        camera: Camera,
        reopen: Callable[[], Camera],
        segmenter: FrameSegmenter,
        crew: Crew,
        scale: LiveScale,
        classes: Sequence[ClassRecord],
        model: Callable[[], ModelInfo],
        faults: FaultLog,
        sinks: Sequence[Sink] = (),
    ) -> None:
        self._classes = [_class_for_page(record) for record in classes]
        self._model = model
        self._scale = scale
        self._faults = faults
        frames = Mailbox[Frame]()
        self._capture = Capture(camera, reopen, frames, self._faults)
        self.hub = Hub(self.status)
        self._page = PageSink(self.hub.wanted, self.hub.publish, self._faults)
        countable = tuple(record.id for record in classes if record.countable)
        self._pipeline = Pipeline(frames, segmenter, crew, scale, countable, [self._page, *sinks], faults)

    def start(self) -> None:
        """Begin to capture, segment and encode."""
        self._page.start()
        self._pipeline.start()
        self._capture.start()

    def stop(self) -> bool:
        """Stop everything within `STOP_S`. False: a camera or an engine did not answer and was left behind."""
        deadline_s = time.monotonic() + STOP_S
        parts = (self._capture, self._pipeline, self._page)
        for part in parts:
            part.request_stop()
        return all(part.join(deadline_s) for part in parts)

    def measure_scale_again(self) -> bool:
        """Measure the red-cell diameter anew. False: it was given, not measured."""
        return self._scale.measure_again()

    def condition(self) -> Condition:
        """How the view fares."""
        return condition(
            self._capture.status(), self._pipeline.results, self._pipeline.rate_hz(), self._faults.recent()
        )

    def status(self) -> dict[str, Any]:
        """Everything that is shown beside the picture, as JSON types."""
        camera = self._capture.status()
        stages = {**self._pipeline.percentiles(), **self._page.stages.percentiles()}
        return {
            **asdict(self.condition()),
            "hemonode": __version__,
            "source": asdict(camera),
            "model": {**asdict(self._model()), "workers": self._pipeline.in_work},
            "classes": self._classes,
            "results": self._pipeline.results,
            "rate_hz": round(self._pipeline.rate_hz(), 2),
            "stages": {stage: asdict(spent) for stage, spent in stages.items()},
            "drops": {**self._pipeline.drops(), "missed": camera.missed},
            "pages": self.hub.clients,
        }


def _class_for_page(record: ClassRecord) -> dict[str, Any]:
    blue, green, red = record.colour_bgr
    return {
        "id": record.id,
        "name": record.name,
        "label": record.name.replace("_", " ").capitalize() + "s",
        "colour": f"#{red:02x}{green:02x}{blue:02x}",
        "countable": record.countable,
    }
