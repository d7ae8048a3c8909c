"""Camera to results: workers that each take the latest frame, and hand results on in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hemonode.device.frame import Frame
from hemonode.runtime.counting.cells import tally
from hemonode.runtime.live.crew import Crew
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog, RateMeter, StageMeter
from hemonode.runtime.live.order import InOrder
from hemonode.runtime.live.result import Result, Sink
from hemonode.runtime.live.scale import LiveScale
from hemonode.runtime.live.status import Percentiles
from hemonode.runtime.segmentation import Segmentation

POLL_S = 0.1
"""How long a worker waits before it looks whether it should stop."""

_ADJUST_EVERY = 32
"""Results after which the crew is asked again how many frames it needs in work."""


class FrameSegmenter(Protocol):
    """What the workers need of `hemonode.runtime.segment.Segmenter`; used by all of their threads."""

    def segment(self, pixels: npt.NDArray[np.uint8], *, red_cell_px: float) -> Segmentation:
        """Mask and cells of one picture, uint8 [H, W, 3] BGR."""

    def measure_red_cell_px(self, pixels: npt.NDArray[np.uint8]) -> float:
        """Red-cell diameter in px of the picture; PictureError where too few are found."""


class Pipeline:
    """Segments frames from a mailbox as fast as its workers can; nothing waits in a queue.

    Each worker carries whole frames from pixels to counts, so that one frame is prepared while another is in the engine
    and a third is counted. On a CPU, one worker and one lane of the engine per core keep every core busy through all
    stages, which stages in a row cannot when one stage (the engine) takes most of the time.

    Args:
        frames: where frames come from.
        segmenter: stays the caller's to close, after `join`.
        crew: how many frames are in work at once.
        countable_ids: class ids that are counted.
        sinks: get every result, in order. One that fails is told of and does not stop the others.
    """

    def __init__(
        self,
        frames: Mailbox[Frame],
        segmenter: FrameSegmenter,
        crew: Crew,
        scale: LiveScale,
        countable_ids: tuple[int, ...],
        sinks: Sequence[Sink],
        faults: FaultLog,
    ) -> None:
        self._frames = frames
        self._scale = scale
        self._countable_ids = countable_ids
        self._sinks = tuple(sinks)
        self._faults = faults
        self._crew = crew
        self._in_work = crew.needed({})
        self._stages = StageMeter()
        self._rate = RateMeter()
        # An engine's first frames pay for its set-up; they would be the 99th percentile for minutes.
        self._warm_up = 2 * crew.most
        self._order = InOrder[Result](self._deliver, limit=crew.most)
        self._taking = threading.Lock()
        self._stopping = threading.Event()
        self._counted = threading.Lock()
        self._results = 0
        self._measuring = 0
        self._failed = 0
        self._threads = [
            threading.Thread(target=self._work, args=(number, segmenter), name=f"worker-{number}", daemon=True)
            for number in range(crew.most)
        ]

    @property
    def in_work(self) -> int:
        """Frames that may be in work at once now."""
        return self._in_work

    @property
    def results(self) -> int:
        """Frames that became results."""
        return self._results

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Stop after the frames in work."""
        self._stopping.set()
        self._frames.close()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: a worker is still inside an engine."""
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def rate_hz(self) -> float:
        """Results per second."""
        return self._rate.rate_hz()

    def percentiles(self) -> dict[str, Percentiles]:
        """Milliseconds per stage; "latency" is from capture to result."""
        return self._stages.percentiles()

    def drops(self) -> dict[str, int]:
        """Frames that reached us and became no result, by cause."""
        return {"busy": self._frames.replaced, "measuring": self._measuring, "failed": self._failed}

    def _work(self, number: int, segmenter: FrameSegmenter) -> None:
        while not self._stopping.is_set():
            # One that is not needed rests; if all took turns, each frame would begin with a switch of threads.
            if number >= self._in_work:
                self._stopping.wait(POLL_S)
                continue
            taken = self._take()
            if taken is not None:
                self._process(segmenter, *taken)

    def _take(self) -> tuple[Frame, int] | None:
        # One worker at a time, so that tickets are in the order of the frames.
        with self._taking:
            if not self._order.wait_for_room(POLL_S):
                return None
            frame = self._frames.take(POLL_S)
            return None if frame is None else (frame, self._order.ticket())

    def _process(self, segmenter: FrameSegmenter, frame: Frame, ticket: int) -> None:
        result = None
        try:
            result = self._result(segmenter, frame)
        except Exception as error:  # a worker outlives whatever one frame does to it; the page shows the fault
            self._faults.report("segmentation", error)
            with self._counted:
                self._failed += 1
            self._stopping.wait(POLL_S)  # a fault with every frame must not spin
        finally:
            self._order.finish(ticket, result)

    def _result(self, segmenter: FrameSegmenter, frame: Frame) -> Result | None:
        taken_ns = time.monotonic_ns()
        scale = self._scale.of(frame, segmenter.measure_red_cell_px)
        if scale is None:
            with self._counted:
                self._measuring += 1
            return None
        segmentation = segmenter.segment(frame.pixels, red_cell_px=scale.red_cell_px)
        counts = tally(list(segmentation.cells), self._countable_ids)
        latency_ms = (time.monotonic_ns() - frame.captured_ns) / 1e6
        stages_ms = {"wait": (taken_ns - frame.captured_ns) / 1e6, **segmentation.timings_ms, "latency": latency_ms}
        return Result(frame, segmentation, scale, counts, stages_ms, latency_ms)

    def _deliver(self, result: Result) -> None:
        self._results += 1
        self._rate.tick()
        if self._results > self._warm_up:
            self._stages.add(result.stages_ms)
        if self._results % _ADJUST_EVERY == 0:
            self._in_work = self._crew.needed(self._stages.percentiles())
        for sink in self._sinks:
            self._hand(sink, result)

    def _hand(self, sink: Sink, result: Result) -> None:
        try:
            sink.accept(result)
        except Exception as error:  # one sink's fault never stops the others
            self._faults.report(sink.name, error)
