"""The live pipeline: drops are counted, results come in order, faults stay where they happen, a stop is quick."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace

import pytest

from hemonode.errors import EngineError
from hemonode.runtime.live.crew import Crew
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.order import InOrder
from hemonode.runtime.live.pipeline import Pipeline
from hemonode.runtime.live.scale import LiveScale, Scale

GIVEN = Scale(76.0, "given")


class Collector:
    name = "collector"

    def __init__(self):
        self.results = []

    def accept(self, result):
        self.results.append(result)


class BrokenSink:
    name = "broken"

    def accept(self, result):  # noqa: ARG002
        raise OSError("no space left on device")


@pytest.fixture
def started(standins):
    """Starts a session and stops it after the test."""
    sessions = []

    def start(**parts):
        session = standins.make_session(**parts)
        session.start()
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.stop()


def test_the_latest_item_wins_and_the_replaced_are_counted():
    mailbox = Mailbox()
    for number in range(5):
        mailbox.put(number)
    assert mailbox.take(0) == 4
    assert mailbox.take(0) is None
    assert mailbox.replaced == 4


def test_a_closed_mailbox_lets_nobody_wait():
    mailbox = Mailbox()
    waiting = threading.Thread(target=mailbox.take, args=(60,))
    waiting.start()
    mailbox.close()
    waiting.join(10)
    assert not waiting.is_alive()


def test_what_is_finished_early_waits_for_its_turn():
    delivered = []
    order = InOrder(delivered.append, limit=2)
    first, second, third = (order.ticket() for _ in range(3))
    order.finish(third, "third")
    order.finish(second, None)
    assert delivered == []
    assert not order.wait_for_room(0), "two finished items wait: no third may be begun"
    order.finish(first, "first")
    assert delivered == ["first", "third"]
    assert order.wait_for_room(0)


def test_results_of_uneven_workers_come_in_the_order_of_the_frames(standins):
    frames, collector = Mailbox(), Collector()
    spans_s = itertools.cycle([0.03, 0.002, 0.01])

    class Uneven(standins.ColourSegmenter):
        def segment(self, pixels, *, red_cell_px):
            time.sleep(next(spans_s))
            return super().segment(pixels, red_cell_px=red_cell_px)

    pipeline = Pipeline(
        frames, Uneven(0), Crew.of(3), LiveScale(lambda: 7.5, GIVEN), lambda: (1, 2, 3), [collector], FaultLog()
    )
    pipeline.start()
    camera = standins.DiscCamera(rate_hz=200)
    for _ in range(60):
        frames.put(camera.read())
    standins.wait_until(lambda: len(collector.results) > 5)
    pipeline.request_stop()
    assert pipeline.join(time.monotonic() + 10)
    numbers = [result.frame.sequence for result in collector.results]
    assert numbers == sorted(set(numbers))
    assert collector.results[0].tally.visible == {1: 1, 2: 4, 3: 1}


def test_frames_that_come_too_fast_are_dropped_and_counted(started, standins):
    session = started(camera=standins.DiscCamera(rate_hz=500), segmenter=standins.ColourSegmenter(0.05), workers=1)
    standins.wait_until(lambda: session.status()["results"] >= 3)
    status = session.status()
    accounted = status["results"] + sum(status["drops"].values())
    assert status["drops"]["busy"] > 0
    assert accounted <= status["source"]["captured"] + 3


def test_gaps_in_the_cameras_numbering_are_counted_as_its_own_losses(started, standins):
    session = started(camera=standins.DiscCamera(rate_hz=200, gap_at=5))
    standins.wait_until(lambda: session.status()["source"]["captured"] > 10)
    assert session.status()["drops"]["missed"] == 3


def test_a_broken_sink_is_named_and_the_others_still_get_every_result(standins):
    frames, collector, faults = Mailbox(), Collector(), FaultLog()
    sinks = [BrokenSink(), collector]
    pipeline = Pipeline(
        frames, standins.ColourSegmenter(0), Crew.of(1), LiveScale(lambda: 7.5, GIVEN), lambda: (1, 2, 3), sinks, faults
    )
    pipeline.start()
    camera = standins.DiscCamera(rate_hz=500)
    for count in range(1, 4):
        frames.put(camera.read())
        standins.wait_until(lambda count=count: len(collector.results) == count)
    pipeline.request_stop()
    assert pipeline.join(time.monotonic() + 10)
    assert [fault.message for fault in faults.recent(60)] == ["no space left on device"]
    assert faults.count("broken") == 3


def test_an_engine_that_fails_on_every_frame_is_reported_and_its_frames_counted(started, standins):
    class Failing(standins.ColourSegmenter):
        def segment(self, pixels, *, red_cell_px):  # noqa: ARG002
            raise EngineError("the graph gave no output")

    session = started(segmenter=Failing(), workers=1)
    standins.wait_until(lambda: session.status()["drops"]["failed"] >= 2)
    assert session.condition().state == "trouble"
    assert "the graph gave no output" in session.condition().message


def test_a_camera_that_fails_is_opened_again(started, standins):
    opened = []

    def reopen():
        opened.append(standins.DiscCamera())
        return opened[-1]

    first = standins.DiscCamera(fail_at=3)
    session = started(camera=first, reopen=reopen)
    standins.wait_until(lambda: session.status()["state"] == "trouble")
    assert "the cable was pulled" in session.status()["message"]
    standins.wait_until(lambda: session.status()["source"]["captured"] > 10)
    assert first.closed.is_set()
    assert session.status()["source"]["reopened"] == len(opened) == 1
    assert session.status()["source"]["state"] == "running"


def test_a_source_that_ends_keeps_its_last_result(started, standins):
    session = started(camera=standins.DiscCamera(frames=4))
    standins.wait_until(lambda: session.condition().state == "ended")
    assert session.status()["source"]["captured"] == 4


def test_the_scale_is_measured_once_kept_and_measured_again_on_demand(standins):
    answers = iter([70.0, 90.0, 74.0, 40.0, 42.0, 41.0])
    scale = LiveScale(lambda: 7.5)
    frame = standins.DiscCamera(rate_hz=1000).read()

    def measured():
        return scale.of(frame, lambda _: next(answers))

    assert [measured() for _ in range(2)] == [None, None]
    assert measured() == measured() == Scale(74.0, "estimated")
    assert scale.measure_again()
    assert [measured() for _ in range(3)][-1] == Scale(41.0, "estimated")


def test_a_camera_that_tells_its_scale_is_used_with_the_red_cell_of_the_model_of_the_moment(standins):
    model = {"red_cell_um": 7.5}
    scale = LiveScale(lambda: model["red_cell_um"])
    frame = replace(standins.DiscCamera(rate_hz=1000).read(), um_per_px=0.1)
    assert scale.of(frame, pytest.fail) == Scale(75.0, "um_per_px")
    model["red_cell_um"] = 7.0
    assert scale.of(frame, pytest.fail) == Scale(pytest.approx(70.0), "um_per_px")


def test_the_scale_of_another_camera_is_not_measured_on_pictures_of_the_one_before(standins):
    scale = LiveScale(lambda: 7.5)
    camera = standins.DiscCamera(rate_hz=1000)
    in_work = [camera.read() for _ in range(2)]
    scale.forget()
    for frame in in_work:
        assert scale.of(frame, lambda _: 140.0) is None
    assert [scale.of(camera.read(), lambda _: 70.0) for _ in range(3)] == [None, None, Scale(70.0, "estimated")]


@pytest.mark.parametrize("state", ["running", "camera fails", "camera hangs", "slow engine", "before any frame"])
def test_it_stops_within_two_seconds_from_any_state(standins, state):
    def no_camera():
        raise OSError("still unplugged")

    camera = standins.DiscCamera(
        rate_hz=2 if state == "before any frame" else 60,
        fail_at=2 if state == "camera fails" else None,
        hang_at=2 if state == "camera hangs" else None,
    )
    session = standins.make_session(
        camera=camera,
        reopen=no_camera,
        segmenter=standins.ColourSegmenter(1.0 if state == "slow engine" else 0.005),
        workers=1,
        scale=LiveScale(lambda: 7.5, GIVEN),
    )
    session.start()
    if state != "before any frame":
        standins.wait_until(lambda: session.status()["source"]["captured"] >= 2)
    began = time.monotonic()
    stopped = session.stop()
    # Half a second more than promised, since other programs may hold the processor.
    assert time.monotonic() - began < 2.5
    assert stopped == (state != "camera hangs"), "only what does not answer is left behind"
