"""Camera to results: workers that each take the latest frame, and hand results on in order."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hemonode.device.frame import Frame
from hemonode.errors import EngineError, PictureError
from hemonode.runtime.counting.cells import tally
from hemonode.runtime.live.crew import Crew
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog, RateMeter, StageMeter
from hemonode.runtime.live.order import InOrder
from hemonode.runtime.live.result import Result, Sink
from hemonode.runtime.live.scale import LiveScale, Scale
from hemonode.runtime.live.status import Percentiles
from hemonode.runtime.live.workers import Worker, Workers
from hemonode.runtime.segmentation import Segmentation

POLL_S = 0.1
"""How long a worker waits before it looks whether it should stop."""

_ADJUST_EVERY = 32
"""Results after which the crew is asked again how many frames it needs in work."""


class FrameSegmenter(Protocol):
    """What the workers need of a governor, a model or a segmenter; used by all of their threads."""

    def segment(self, pixels: npt.NDArray[np.uint8], *, red_cell_px: float) -> Segmentation:
        """Mask and cells of one picture, uint8 [H, W, 3] BGR."""

    def measure_red_cell_px(self, pixels: npt.NDArray[np.uint8]) -> float:
        """Red-cell diameter in px of the picture; PictureError where too few are found."""

    def give_up(self, thread: int) -> bool:
        """A thread does not come back from here: leave to it what it is in. False: it must be waited for."""


class Pipeline:
    """Segments frames from a mailbox as fast as its workers can; nothing waits in a queue.

    Each worker carries whole frames from pixels to counts, so that one frame is prepared while another is in the engine
    and a third is counted. On a CPU, one worker and one lane of the engine per core keep every core busy through all
    stages, which stages in a row cannot when one stage (the engine) takes most of the time.

    A frame that takes far longer than others is let go: the results behind it go on, and a worker that never comes back
    is replaced, with the engine that it is in.

    Args:
        frames: where frames come from.
        segmenter: stays the caller's to close, after `join`.
        crew: how many frames are in work at once.
        countable_ids: gives the class ids that are counted now.
        sinks: get every result, in order. One that fails is told of and does not stop the others.
    """

    def __init__(
        self,
        frames: Mailbox[Frame],
        segmenter: FrameSegmenter,
        crew: Crew,
        scale: LiveScale,
        countable_ids: Callable[[], tuple[int, ...]],
        sinks: Sequence[Sink],
        faults: FaultLog,
    ) -> None:
        self._frames = frames
        self._segmenter = segmenter
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
        self._drops = Counter[str](dict.fromkeys(("measuring", "failed", "late", "hung"), 0))
        self._workers = Workers(
            crew.most, self._work, late=self._let_pass, let_go=segmenter.give_up, hung=self._report_hung
        )

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
        self._workers.start()

    def request_stop(self) -> None:
        """Stop after the frames in work."""
        self._stopping.set()
        self._workers.request_stop()
        self._frames.close()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: a worker is still inside an engine."""
        return self._workers.join(deadline_s)

    def rate_hz(self) -> float:
        """Results per second."""
        return self._rate.rate_hz()

    def percentiles(self) -> dict[str, Percentiles]:
        """Milliseconds per stage; "latency" is from capture to result."""
        return self._stages.percentiles()

    def drops(self) -> dict[str, int]:
        """Frames that reached us and became no result, by cause."""
        with self._counted:
            return {"busy": self._frames.replaced, **self._drops}

    def _work(self, worker: Worker) -> None:
        while not (self._stopping.is_set() or worker.given_up):
            # One that is not needed rests; if all took turns, each frame would begin with a switch of threads.
            if worker.number >= self._in_work:
                self._stopping.wait(POLL_S)
                continue
            frame = self._take(worker)
            if frame is not None and worker.ticket is not None:
                self._process(frame, worker, worker.ticket)

    def _take(self, worker: Worker) -> Frame | None:
        # One worker at a time, so that tickets are in the order of the frames.
        with self._taking:
            if not self._order.wait_for_room(POLL_S):
                return None
            frame = self._frames.take(POLL_S)
            if frame is not None:
                worker.begin(self._order.ticket())
            return frame

    def _process(self, frame: Frame, worker: Worker, ticket: int) -> None:
        result, cause = None, "failed"
        try:
            result = self._result(frame)
            cause = "measuring"
        except Exception as error:  # a worker outlives whatever one frame does to it; the page shows the fault
            self._faults.report("segmentation", error)
            self._stopping.wait(POLL_S)  # a fault with every frame must not spin
        finally:
            # One that was called late is counted already.
            if self._order.finish(ticket, result) and result is None:
                self._drop(cause)
            self._workers.done(worker)

    def _result(self, frame: Frame) -> Result | None:
        """None: the frame was only used to measure the scale."""
        taken_ns = time.monotonic_ns()
        scale = self._measured_scale(frame)
        if scale is None:
            return None
        segmentation = self._segmenter.segment(frame.pixels, red_cell_px=scale.red_cell_px)
        counts = tally(list(segmentation.cells), self._countable_ids())
        latency_ms = (time.monotonic_ns() - frame.captured_ns) / 1e6
        stages_ms = {"wait": (taken_ns - frame.captured_ns) / 1e6, **segmentation.timings_ms, "latency": latency_ms}
        return Result(frame, segmentation, scale, counts, stages_ms, latency_ms, self._in_work)

    def _measured_scale(self, frame: Frame) -> Scale | None:
        try:
            return self._scale.of(frame, self._segmenter.measure_red_cell_px)
        except PictureError as error:
            # An empty view is no fault of the segmentation; there may be cells in the next.
            self._faults.report("scale", error)
            self._stopping.wait(POLL_S)
            return None

    def _let_pass(self, ticket: int) -> None:
        """The results behind a frame wait no longer for it."""
        if self._order.finish(ticket, None):
            self._drop("late")

    def _report_hung(self, ticket: int, age_s: float) -> None:
        if self._order.finish(ticket, None):
            self._drop("hung")
        else:
            with self._counted:  # it was called late before
                self._drops["late"] -= 1
                self._drops["hung"] += 1
        self._faults.report(
            "segmentation", EngineError(f"A frame did not come back within {age_s:.0f} s and was given up.")
        )

    def _drop(self, cause: str) -> None:
        with self._counted:
            self._drops[cause] += 1

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
