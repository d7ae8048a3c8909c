"""Engines that throw, hang or run out of memory under the live pipeline: results go on, and the log says why."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from hemonode.device.frame import Frame
from hemonode.errors import EngineError, PictureError
from hemonode.runtime.engines import ENGINES, EngineEntry
from hemonode.runtime.engines.cpu import CpuEngine
from hemonode.runtime.live import workers
from hemonode.runtime.live.crew import Crew
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.model import LiveModel
from hemonode.runtime.live.pipeline import Pipeline
from hemonode.runtime.live.scale import LiveScale, Scale


class Sick(CpuEngine):
    """ONNX Runtime, until its illness is switched on: "throw", "hang", "hang once", "memory"."""

    name = "sick"
    opened = 0

    def __init__(self, opening, ward):
        super().__init__(opening.bundle.graph_path(opening.setting), opening.shape, threads=1, lanes=opening.lanes)
        ward.opened.append(self)
        self.ward = ward
        self.number = len(ward.opened)

    def _infer(self, frames):
        illness = self.ward.illness if self.number <= self.ward.ill_up_to else None
        if illness == "throw":
            raise RuntimeError("the device was lost")
        if illness == "memory":
            raise RuntimeError("std::bad_alloc")
        if illness == "hang once" and self.ward.once.acquire(blocking=False):
            illness = "hang"
        if illness == "hang":
            self.ward.hanging.append(threading.get_ident())
            self.ward.end.wait(60)
        return super()._infer(frames)


@pytest.fixture
def ward(monkeypatch, only_engines):
    """How the engine fares; `ill_up_to`: engines opened up to this number catch the illness."""
    state = SimpleNamespace(
        illness=None, ill_up_to=0, opened=[], hanging=[], once=threading.Lock(), end=threading.Event()
    )

    class Module:
        @staticmethod
        def open_engine(opening):
            return Sick(opening, state)

    monkeypatch.setitem(__import__("sys").modules, "tests.sick", Module)
    only_engines(sick=EngineEntry("tests.sick", "cpu"), cpu=ENGINES["cpu"])
    # Tests do not wait as long as users may have to.
    monkeypatch.setattr(workers, "HUNG_LEAST_S", 0.6)
    monkeypatch.setattr(workers, "LATE_LEAST_S", 0.3)
    monkeypatch.setattr("hemonode.runtime.live.care._FIRST_PAUSE_S", 0.05)
    yield state
    state.end.set()


@pytest.fixture
def view(ward, colour_bundle, draw_cells):
    """A real model and pipeline; `step` feeds a frame and `run_until` many."""
    log = EventLog()
    faults = FaultLog(log)
    pixels = draw_cells(150, 200, [(2, 60.0, 60.0, 40.0), (2, 120.0, 90.0, 40.0)])
    models = []

    def start(engine="auto"):
        model = LiveModel(
            colour_bundle, bundle_id="a", engine=engine, setting=None, precision="fp32", cores=2, log=log,
            faults=faults, tell=print,
        )  # fmt: skip
        frames = Mailbox()
        scale = LiveScale(lambda: 7.5, Scale(40.0, "given"))
        pipeline = Pipeline(frames, model, Crew.of(2), scale, lambda: (1, 2, 3), [], faults)
        models.append((model, pipeline))
        pipeline.start()

        def run_until(true, timeout_s=30.0):
            until = time.monotonic() + timeout_s
            number = 0
            while not true():
                assert time.monotonic() < until, [event.message for event in log.after()]
                number += 1
                frames.put(Frame(pixels, number, time.monotonic_ns()))
                time.sleep(0.005)

        return SimpleNamespace(model=model, pipeline=pipeline, run_until=run_until)

    yield SimpleNamespace(start=start, log=log, faults=faults)
    ward.end.set()
    for model, pipeline in models:
        pipeline.request_stop()
        model.request_stop()
        assert pipeline.join(time.monotonic() + 20)
        assert model.join(time.monotonic() + 20)
        model.close()


def told(view, part):
    return [event.message for event in view.log.after() if part in event.message]


def go_on(running, results=10):
    before = running.pipeline.results
    running.run_until(lambda: running.pipeline.results >= before + results)


def test_an_engine_that_throws_is_opened_anew(ward, view):
    running = view.start()
    go_on(running)
    ward.illness, ward.ill_up_to = "throw", len(ward.opened)
    running.run_until(lambda: told(view, "opened anew"))
    go_on(running)
    assert running.model.status().engine == "sick"
    assert "the device was lost" in told(view, "opened anew")[0]
    assert running.pipeline.drops()["failed"] >= 3


def test_an_engine_that_keeps_throwing_gives_way_to_the_next_of_the_table(ward, view):
    running = view.start()
    go_on(running)
    ward.illness, ward.ill_up_to = "throw", 10**6
    running.run_until(lambda: running.model.status().engine == "cpu")
    go_on(running)
    assert len(told(view, "the next takes its place")) == 1
    assert any("kept failing" in reason for reason in running.model.status().passed_over)


def test_an_engine_asked_for_by_name_is_never_replaced_by_another(ward, view):
    running = view.start("sick")
    go_on(running)
    ward.illness, ward.ill_up_to = "throw", 10**6
    running.run_until(lambda: len(told(view, "opened anew")) >= 3)
    assert running.model.status().engine == "sick"
    assert any("asked for by name" in fault.message for fault in view.faults.recent(60))
    ward.illness = None
    go_on(running)


def test_an_engine_that_hangs_is_left_behind_and_results_go_on(ward, view):
    running = view.start()
    go_on(running, 20)
    ward.illness, ward.ill_up_to = "hang", len(ward.opened)
    running.run_until(lambda: running.pipeline.drops()["hung"] >= 1)
    go_on(running, 20)
    assert told(view, "did not answer")
    assert len(ward.hanging) <= 2
    # They come back after all, and nobody wants their results.
    results, ward.illness = running.pipeline.results, None
    ward.end.set()
    go_on(running, 5)
    assert running.pipeline.results >= results + 5


def test_while_one_frame_hangs_the_others_results_go_on_before_it_is_given_up(ward, view, monkeypatch):
    monkeypatch.setattr(workers, "HUNG_LEAST_S", 600.0)
    running = view.start()
    go_on(running, 20)
    ward.illness, ward.ill_up_to = "hang once", len(ward.opened)
    running.run_until(lambda: ward.hanging)
    go_on(running, 20)
    assert running.pipeline.drops()["late"] >= 1
    assert running.pipeline.drops()["hung"] == 0


def test_a_frame_that_comes_late_and_then_fails_is_counted_once(ward, view, draw_cells):
    late = threading.Event()

    class Late:
        measure_red_cell_px, give_up = None, staticmethod(lambda _: False)
        frames = 0

        def segment(self, *_, **__):
            self.frames += 1
            if self.frames == 20:
                late.wait(20)
                raise EngineError("too late")
            return found

    model = view.start().model
    pixels = draw_cells(150, 200, [(2, 60.0, 60.0, 40.0)])
    found, frames = model.segment(pixels, red_cell_px=40.0), Mailbox()
    scale = LiveScale(lambda: 7.5, Scale(40.0, "given"))
    pipeline = Pipeline(frames, Late(), Crew.of(2), scale, lambda: (1, 2, 3), [], view.faults)
    pipeline.start()
    until, number = time.monotonic() + 20, 0
    while not view.faults.count("segmentation"):
        assert time.monotonic() < until
        frames.put(Frame(pixels, number, time.monotonic_ns()))
        number += 1
        time.sleep(0.01)
        if pipeline.drops()["late"]:
            late.set()
    pipeline.request_stop()
    assert pipeline.join(time.monotonic() + 20)
    assert (pipeline.drops()["late"], pipeline.drops()["failed"]) == (1, 0)


def test_with_an_engine_that_hangs_it_still_stops_within_two_seconds(ward, view):
    running = view.start()
    go_on(running)
    ward.illness, ward.ill_up_to = "hang", 10**6
    running.run_until(lambda: ward.hanging)
    began = time.monotonic()
    running.pipeline.request_stop()
    running.model.request_stop()
    # A worker hangs, or an engine that was being opened beside: nobody waits for it, and it is told.
    ended = [running.pipeline.join(began + 2), running.model.join(began + 2)]
    assert not all(ended)
    assert time.monotonic() - began < 2.5


def test_only_so_many_engines_are_left_behind(ward, view, monkeypatch):
    monkeypatch.setattr("hemonode.runtime.live.care.MOST_LEFT_BEHIND", 1)
    running = view.start("sick")
    go_on(running, 20)
    ward.illness, ward.ill_up_to = "hang", 10**6
    running.run_until(lambda: any("start hemonode again" in fault.message for fault in view.faults.recent(60)))
    opened = len(ward.opened)
    until = time.monotonic() + 1.5
    running.run_until(lambda: time.monotonic() > until)
    assert len(ward.opened) <= opened + 1


def test_when_memory_runs_out_the_engines_of_other_settings_are_closed(ward, view):
    running = view.start()
    model = running.model
    running.run_until(lambda: model.ready("euler-1") and model.ready("rk4-1"))
    ward.illness, ward.ill_up_to = "memory", len(ward.opened)
    running.run_until(lambda: view.faults.count("memory") >= 3)
    assert len(told(view, "Memory ran out")) == 1, "told once, not with every frame"
    assert not model.ready("euler-1")
    ward.illness = None
    go_on(running)
    assert not model.ready("euler-1"), "it is not opened again at once"


def test_a_picture_that_cannot_be_used_is_not_the_engines_fault(ward, view, draw_cells):
    running = view.start()
    go_on(running)
    for _ in range(10):
        with pytest.raises(PictureError):
            running.model.segment(draw_cells(150, 200, []), red_cell_px=0.001)
    assert told(view, "opened anew") == []
