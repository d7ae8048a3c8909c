"""How many frames are in work at once: as many as keep engine and processor busy, and no more, for each only waits."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from hemonode.runtime.live.crew import Crew, crew_for, needed_beside
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.pipeline import Pipeline
from hemonode.runtime.live.scale import LiveScale, Scale
from hemonode.runtime.live.status import Percentiles


@pytest.mark.parametrize(
    ("engine_ms", "work_ms", "cores", "expected"),
    [
        (20, 5, 6, 3),  # one in the engine, one ready, one prepared or counted
        (2, 8, 6, 6),  # four cores' work for each frame's time in the engine
        (2, 8, 2, 3),  # no more than the cores can work on, and the one in the engine
        (5, 0, 6, 2),
        (0, 8, 6, 7),  # nothing measured yet
    ],
)
def test_beside_a_gpu_enough_frames_are_in_work_to_keep_it_busy(engine_ms, work_ms, cores, expected) -> None:
    assert needed_beside(engine_ms, work_ms, cores) == expected


def test_an_engine_on_the_processor_gets_a_frame_per_lane_and_one_beside_it_more(monkeypatch) -> None:
    monkeypatch.setattr("hemonode.runtime.live.crew.available_cores", lambda: 4)
    used = SimpleNamespace(beside_cpu=False, lanes=4, run_ms=10.0)
    crew = crew_for(lambda: used)
    spent = {
        "preprocess": Percentiles(10.0, 15.0, 20.0),
        "count": Percentiles(15.0, 18.0, 20.0),
        "engine": Percentiles(90.0, 95.0, 99.0),
    }
    assert crew.needed(spent) == 4
    used = SimpleNamespace(beside_cpu=True, lanes=1, run_ms=10.0)
    assert crew.needed(spent) == 5
    used = SimpleNamespace(beside_cpu=True, lanes=1, run_ms=25.0)
    assert crew.needed(spent) == 3
    assert crew.most == 5


@pytest.mark.parametrize("needed", [1, 3])
def test_as_many_frames_are_in_work_as_the_crew_needs(standins, needed) -> None:
    """Of three workers; the crew is asked after some results, as when a better engine takes over."""
    together, most = [0], [0]
    counted = threading.Lock()

    class Counting(standins.ColourSegmenter):
        def segment(self, pixels, *, red_cell_px):
            with counted:
                together[0] += 1
                most[0] = max(most[0], together[0])
            time.sleep(0.01)
            with counted:
                together[0] -= 1
            return super().segment(pixels, red_cell_px=red_cell_px)

    crew = Crew(3, lambda spent: needed if spent else 2)
    frames = Mailbox()
    pipeline = Pipeline(
        frames, Counting(0), crew, LiveScale(lambda: 7.5, Scale(40.0, "given")), lambda: (1, 2, 3), [], FaultLog()
    )
    camera = standins.DiscCamera(rate_hz=1000)
    pipeline.start()

    def feed_until(done) -> None:
        while not done():
            frames.put(camera.read())

    feed_until(lambda: pipeline.in_work == needed)
    time.sleep(0.3)  # a worker that is not needed any more ends its frame; one that is needed wakes up
    most[0] = 0
    results = pipeline.results
    feed_until(lambda: pipeline.results > results + 30)
    pipeline.request_stop()
    assert pipeline.join(time.monotonic() + 10)
    assert most[0] == needed
