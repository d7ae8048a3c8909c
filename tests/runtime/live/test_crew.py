"""How many frames are in work at once: as many as keep engine and processor busy, and no more, for each only waits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hemonode.runtime.live.crew import crew_for, needed_beside
from hemonode.runtime.live.meters import Percentiles
from hemonode.runtime.live.order import InOrder


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
    spent = {"preprocess": Percentiles(10.0, 20.0), "count": Percentiles(15.0, 20.0), "engine": Percentiles(90.0, 99.0)}
    assert crew.needed(spent) == 4
    used = SimpleNamespace(beside_cpu=True, lanes=1, run_ms=10.0)
    assert crew.needed(spent) == 5
    used = SimpleNamespace(beside_cpu=True, lanes=1, run_ms=25.0)
    assert crew.needed(spent) == 3
    assert crew.most == 5


def test_no_more_frames_are_begun_than_shall_be_in_work() -> None:
    order = InOrder(lambda _: None, limit=9)
    first, second = order.ticket(), order.ticket()
    assert not order.wait_for_room(2, 0)
    assert order.wait_for_room(3, 0)
    order.finish(second, "done, and waiting for the first")
    assert order.wait_for_room(2, 0)
    order.finish(first, None)
    assert order.wait_for_room(1, 0)
