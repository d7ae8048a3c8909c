"""A camera that is unplugged, stalls, hangs, loses halves or will not come back: the view goes on, and says so."""

from __future__ import annotations

import itertools
import threading
import time

import numpy as np
import pytest

from hemonode.device.camera.contract import Camera, Control
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError
from hemonode.runtime.live import capture_reader, capture_restarts, capture_watch
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.capture_controls import ANSWERS_WITHIN_S, Wishes
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog

IDENTITY = "by-id/microscope-7"
TOO_LATE = 10**6
"""Number of the picture with which a read returns that hung."""


class Bench:
    """One camera on one cable: what is wrong with it, and what was done to it."""

    def __init__(self):
        self.plugged = threading.Event()
        self.plugged.set()
        self.stalls = self.hangs = self.halves = self.deaf = self.opening_hangs = False
        self.released = threading.Event()  # what hangs comes back at the end of the test
        self.opened, self.asked = [], []
        self.index = itertools.count()

    def open(self, identity=IDENTITY):
        self.asked.append(identity)
        if self.opening_hangs:
            self.released.wait(60)
        if not self.plugged.is_set():
            raise DeviceError("There is no such camera; plug it in.")
        camera = BenchCamera(self, next(self.index))
        self.opened.append(camera)
        return camera


class BenchCamera(Camera):
    patience_s = 0.3
    shade = 0

    def __init__(self, bench, index):
        self.name, self.identity = f"camera {index}", IDENTITY
        self.exposure_ms = 10.0
        self.closed = threading.Event()
        self._bench = bench
        self._sequence = 0

    def read(self):
        bench = self._bench
        while True:
            time.sleep(0.005)
            if bench.hangs:
                bench.released.wait(60)
                return Frame(np.zeros((6, 8, 3), np.uint8), TOO_LATE, time.monotonic_ns())
            if self.closed.is_set():
                raise DeviceError("closed")
            if not bench.plugged.is_set():
                raise DeviceError("It was unplugged.")
            if bench.stalls:
                continue
            self._sequence += 1
            if bench.halves:
                self.damaged += 1
                continue
            return Frame(np.full((6, 8, 3), self.shade, np.uint8), self._sequence, time.monotonic_ns())

    def controls(self):
        if self._bench.deaf:
            self._bench.released.wait(60)
        return (Control("exposure_ms", "Exposure", "ms", self.exposure_ms, 0.1, 100.0, 0.1),)

    def set_control(self, name, *, value=None, automatic=None):  # noqa: ARG002
        if value is None or value > 100:
            raise DeviceError("camera cannot take that.")
        self.exposure_ms = value
        return self.controls()[0]

    def close(self):
        if self._bench.hangs:
            self._bench.released.wait(60)
        self.closed.set()


class Running:
    """A started capture, and all that it fills."""

    def __init__(self, camera, reopen):
        self.frames, self.log = Mailbox(), EventLog()
        self.faults = FaultLog(self.log)
        self.capture = Capture(camera, reopen, self.frames, self.log, self.faults, "first", "v4l2")
        self.capture.start()

    @property
    def status(self):
        return self.capture.status()

    def told(self):
        return [event.message for event in self.log.after() if event.kind == "camera"]

    def stop(self):
        began_s = time.monotonic()
        self.capture.request_stop()
        ended = self.capture.join(began_s + 2.0)
        assert time.monotonic() - began_s < 2.2
        return ended


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(capture_restarts, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(capture_restarts, "LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr(capture_watch, "LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr(capture_watch, "CLOSES_WITHIN_S", 0.2)
    monkeypatch.setattr(capture_reader, "FIRST_WITHIN_S", 0.4)
    monkeypatch.setattr(capture_reader, "OPENS_WITHIN_S", 0.4)


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.released.set()


@pytest.fixture
def running(bench, standins):
    run = Running(bench.open(), bench.open)
    standins.wait_until(lambda: run.status.captured > 3)
    yield run
    bench.released.set()
    run.stop()


def flows(run):
    """Whether fresh pictures come now."""
    return run.status.state == "running" and run.frames.take(0.2) is not None and run.status.age_s < 0.25


def test_the_latest_picture_waits_and_the_figures_tell_its_size_and_rate(running, standins):
    standins.wait_until(lambda: running.status.captured > 30)
    status = running.status
    frame = running.frames.take(1.0)
    assert frame.sequence >= 30
    assert (status.id, status.kind, status.name) == ("first", "v4l2", "camera 0")
    assert (status.width, status.height) == (8, 6)
    assert status.rate_hz > 20
    assert status.age_s < 1


def test_a_camera_that_was_unplugged_is_found_again_under_another_number(running, bench, standins):
    bench.plugged.clear()
    standins.wait_until(lambda: running.status.state == "reopening" and len(bench.asked) > 4)
    assert running.faults.recent()[-1].message == "There is no such camera; plug it in."
    bench.plugged.set()
    standins.wait_until(lambda: flows(running))
    assert set(bench.asked) == {IDENTITY}
    assert running.status.name == "camera 1"
    assert running.status.reopened == 1
    assert running.status.stalls == 0
    assert running.status.missed == 0
    assert bench.opened[0].closed.is_set()
    lost, back = running.told()
    assert lost == "The camera was lost: It was unplugged."
    assert "camera 1 is back after" in back


def test_a_camera_that_stalls_without_an_error_is_opened_again(running, bench, standins):
    bench.stalls = True
    standins.wait_until(lambda: running.status.state == "silent")
    standins.wait_until(lambda: running.status.stalls == 1)
    bench.stalls = False
    standins.wait_until(lambda: flows(running))
    assert running.status.reopened >= 1
    assert "given no picture" in running.told()[0]
    assert bench.opened[0].closed.is_set()


def test_half_pictures_are_counted_and_never_shown_and_are_no_other_loss(running, bench, standins):
    for count in (3, 6):
        bench.halves = True
        standins.wait_until(lambda count=count: running.status.damaged >= count)
        bench.halves = False
        standins.wait_until(lambda: flows(running))
    assert running.status.missed == 0


def test_damaged_pictures_alone_are_a_stall_and_stay_counted(running, bench, standins):
    bench.halves = True
    standins.wait_until(lambda: running.status.stalls >= 1)
    before = running.status.damaged
    bench.halves = False
    standins.wait_until(lambda: flows(running))
    assert running.status.damaged >= before > 0


def test_a_read_that_never_returns_is_left_behind(running, bench, standins):
    bench.hangs = True
    standins.wait_until(lambda: "does not return" in " ".join(running.told()))
    bench.hangs = False
    standins.wait_until(lambda: flows(running))
    captured = []
    running.frames.put = lambda frame: captured.append(frame.sequence)
    bench.released.set()
    standins.wait_until(lambda: len(captured) > 20)
    assert TOO_LATE not in captured, "what comes back too late is not shown"


def test_not_more_than_a_few_drivers_are_left_behind(running, bench, standins):
    bench.hangs = True
    standins.wait_until(lambda: "has not returned 3 times" in str(running.faults.recent()))
    threads = threading.active_count()
    opened = len(bench.opened)
    time.sleep(0.5)
    assert len(bench.opened) == opened <= 4
    assert threading.active_count() <= threads
    assert not running.stop(), "the caller must know that threads are still in a driver"


def test_an_opening_that_never_returns_is_left_behind_and_closed_when_it_does(running, bench, standins):
    bench.opening_hangs = True
    bench.plugged.clear()
    standins.wait_until(lambda: "could not be opened within" in str(running.faults.recent()))
    bench.plugged.set()
    bench.opening_hangs = False
    standins.wait_until(lambda: flows(running))
    shown = bench.opened[-1]
    bench.released.set()
    standins.wait_until(lambda: bench.opened[-1] is not shown)
    standins.wait_until(lambda: all(camera.closed.is_set() for camera in bench.opened if camera is not shown))
    assert flows(running)


@pytest.mark.parametrize("fault", ["none", "stalls", "hangs", "away", "halves", "opening_hangs"])
def test_a_stop_is_quick_from_any_state(running, bench, standins, fault):
    if fault == "away":
        bench.plugged.clear()
        standins.wait_until(lambda: running.status.state == "reopening")
    elif fault == "opening_hangs":
        bench.opening_hangs = True
        bench.plugged.clear()
        standins.wait_until(lambda: len(bench.asked) > 1)
    elif fault != "none":
        setattr(bench, fault, True)
        time.sleep(0.1)
    assert running.stop() == (fault not in ("hangs", "opening_hangs"))


def test_a_camera_that_never_began_is_closed_all_the_same(bench):
    camera = bench.open()
    log = EventLog()
    capture = Capture(camera, bench.open, Mailbox(), log, FaultLog(log), "first", "v4l2")
    capture.request_stop()
    assert capture.join(time.monotonic())
    assert camera.closed.is_set()


def test_the_end_of_a_file_is_no_fault(standins):
    run = Running(standins.DiscCamera(rate_hz=500, frames=5), None)
    standins.wait_until(lambda: run.status.state == "ended")
    assert run.status.captured == 5
    assert run.faults.recent() == []
    assert run.stop()


def test_settings_are_set_again_after_a_reopening(running, bench, standins):
    assert running.capture.set_control("exposure_ms", value=33.0).value == 33.0
    with pytest.raises(DeviceError, match="cannot take"):
        running.capture.set_control("exposure_ms", value=500.0)
    bench.plugged.clear()
    standins.wait_until(lambda: running.status.state == "reopening")
    with pytest.raises(DeviceError, match="is away"):
        running.capture.controls()
    bench.plugged.set()
    standins.wait_until(lambda: flows(running))
    assert bench.opened[-1] is not bench.opened[0]
    assert running.capture.controls()[0].value == 33.0


def test_what_was_locked_is_locked_again_and_what_was_automatic_is_so_in_the_order_of_the_last_settings():
    asked = []

    class Recorder(BenchCamera):
        def set_control(self, name, *, value=None, automatic=None):
            asked.append((name, value, automatic))
            if name == "gain_db":
                raise DeviceError("camera cannot take that.")

    wishes = Wishes()
    for name, value, automatic in [
        ("exposure_ms", 5.0, None),
        ("white_balance_k", 5000.0, True),
        ("gain_db", 3.0, False),
        ("exposure_ms", 7.0, False),
    ]:
        wishes.note(Control(name, name.title(), "", value, 0.0, 9000.0, 1.0, automatic))
    refused = wishes.carry_out(Recorder(Bench(), 0))
    assert asked == [("white_balance_k", None, True), ("gain_db", 3.0, False), ("exposure_ms", 7.0, False)]
    assert refused == ("Gain_Db could not be set again: camera cannot take that.",)


def test_a_camera_that_does_not_answer_about_its_settings_keeps_nobody_waiting(running, bench, monkeypatch):
    monkeypatch.setattr("hemonode.runtime.live.capture_controls.ANSWERS_WITHIN_S", 0.1)
    assert ANSWERS_WITHIN_S < 5
    bench.deaf = True
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(DeviceError, match="does not answer when asked about its settings"):
            running.capture.controls()
    assert threading.active_count() <= before + 1
    assert flows(running)


def test_another_source_is_shown_without_a_stop_and_none_of_the_old_pictures_after_it(running, bench, standins):
    running.capture.set_control("exposure_ms", value=33.0)
    other = Bench()
    camera = other.open()
    camera.shade = 200
    captured = running.status.captured
    running.capture.change_source(camera, other.open, "second", "genicam")
    for _ in range(10):
        assert running.frames.take(2.0).pixels[0, 0, 0] == 200
    status = running.status
    assert (status.id, status.kind, status.reopened) == ("second", "genicam", 0)
    assert status.captured > captured
    standins.wait_until(bench.opened[0].closed.is_set)
    assert camera.exposure_ms == 10.0, "a setting belongs to the camera that it was made for"
    other.plugged.clear()
    standins.wait_until(lambda: len(other.asked) > 2)
    assert len(bench.asked) == 1


@pytest.mark.parametrize("fault", ["away", "hangs", "ended"])
def test_another_source_can_be_chosen_whatever_the_old_one_does(bench, standins, fault):
    run = Running(standins.DiscCamera(rate_hz=500, frames=3) if fault == "ended" else bench.open(), bench.open)
    standins.wait_until(lambda: run.status.captured > 2)
    if fault == "away":
        bench.plugged.clear()
        standins.wait_until(lambda: run.status.state == "reopening")
    bench.hangs = fault == "hangs"
    other = Bench()
    run.capture.change_source(other.open(), other.open, "second", "v4l2")
    standins.wait_until(lambda: flows(run))
    bench.released.set()
    assert run.stop()
    assert other.opened[0].closed.is_set()


def test_a_source_that_is_chosen_after_the_stop_is_closed(running, bench):
    assert running.stop()
    camera = bench.open()
    running.capture.change_source(camera, bench.open, "second", "v4l2")
    assert camera.closed.is_set()


def test_what_a_camera_does_otherwise_than_asked_is_told_once(bench, standins):
    camera = bench.open()
    camera.remarks = ("It gives 640×480 instead of 800×600.",)
    BenchCamera.remarks, before = camera.remarks, BenchCamera.remarks
    try:
        run = Running(camera, bench.open)
        standins.wait_until(lambda: run.status.captured > 1)
        bench.plugged.clear()
        standins.wait_until(lambda: run.status.state == "reopening")
        bench.plugged.set()
        standins.wait_until(lambda: flows(run))
        assert run.told().count(camera.remarks[0]) == 1
        run.stop()
    finally:
        BenchCamera.remarks = before
