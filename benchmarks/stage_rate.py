"""Frames per second of the live pipeline when frames come from memory as fast as it takes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from hemonode.device.frame import Frame
from hemonode.errors import EngineError
from hemonode.runtime.classes import countable_names
from hemonode.runtime.live.crew import crew_for
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.pipeline import Pipeline
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.scale import LiveScale, Scale
from hemonode.runtime.segment import Segmenter

SLOWEST_FRAME_S = 60.0
# Per worker; the crew is asked once within them how many frames it needs in work.
_WARM_UP_FRAMES = 16


class _Finish:
    """A sink that stamps results and says when enough have come."""

    name = "benchmark"

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self.stamps_s: list[float] = []
        self.came = threading.Semaphore(0)
        self.done = threading.Event()

    def accept(self, result: Result) -> None:  # noqa: ARG002
        self.stamps_s.append(time.perf_counter())
        self.came.release()
        if len(self.stamps_s) >= self._wanted:
            self.done.set()


def measure_rate(
    open_segmenter: Callable[[], Segmenter],
    pictures: Sequence[npt.NDArray[np.uint8]],
    frames: int,
    red_cell_px: float,
) -> float:
    """Results per second over `frames` frames, after each worker's first ones.

    A new frame is offered for each that is finished, so none is dropped and no camera takes processor time.

    Raises:
        EngineError: the pipeline gave no result for a minute.
    """
    scale = LiveScale(red_cell_um=lambda: 1.0, given=Scale(red_cell_px, "given"))
    mailbox, faults = Mailbox[Frame](), FaultLog()
    with open_segmenter() as segmenter:
        crew = crew_for(lambda: segmenter.engine)
        warm_up = _WARM_UP_FRAMES * crew.most
        finish = _Finish(warm_up + frames)
        countable = tuple(countable_names(segmenter.bundle.manifest.classes))
        pipeline = Pipeline(mailbox, segmenter, crew, scale, lambda: countable, [finish], faults)
        pipeline.start()
        _feed(mailbox, pictures, finish, crew.most)
        pipeline.request_stop()
        pipeline.join(time.monotonic() + SLOWEST_FRAME_S)
    if not finish.done.is_set():
        told = "; ".join(fault.message for fault in faults.recent(2 * SLOWEST_FRAME_S))
        raise EngineError(
            f"the live pipeline gave no result for {SLOWEST_FRAME_S:.0f} s: {told or 'no fault was told'}"
        )
    measured = finish.stamps_s[warm_up:]
    return (len(measured) - 1) / (measured[-1] - measured[0])


def _feed(mailbox: Mailbox[Frame], pictures: Sequence[npt.NDArray[np.uint8]], finish: _Finish, workers: int) -> None:
    """Keep one frame ready beside those in work, until enough are finished or none comes any more."""
    number = 0
    # What is offered before the first is finished: one for each worker, and one that waits.
    for _ in range(workers + 1):
        finish.came.release()
    while not finish.done.is_set() and finish.came.acquire(timeout=SLOWEST_FRAME_S):
        while not mailbox.empty:
            time.sleep(1e-4)
        mailbox.put(Frame(pictures[number % len(pictures)], number, time.monotonic_ns()))
        number += 1
