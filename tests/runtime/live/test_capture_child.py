"""A camera in a process of its own under the real capture: killed, hung, without memory, without its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hemonode.device.camera.child.camera import ChildCamera
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog

STANDINS = Path(__file__).parents[2] / "standins"

PARENT = """
import sys, time
from hemonode.device.camera.child.camera import ChildCamera
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog

camera = ChildCamera("child_standin", sys.argv[1], None, True)
capture = Capture(camera, None, Mailbox(), EventLog(), FaultLog(), "id", "csi")
capture.start()
while capture.status().captured < 3:
    time.sleep(0.01)
print(camera.pid, flush=True)
time.sleep(60)
"""


class Running:
    def __init__(self, fault, flag):
        self.flag = flag
        self.cameras = []
        self.frames, self.log = Mailbox(), EventLog()
        self.faults = FaultLog(self.log)
        camera = self.open(f"standin:{fault}:{flag}")
        self.capture = Capture(camera, self.open, self.frames, self.log, self.faults, "first", "csi")
        self.capture.start()

    def open(self, identity):
        self.cameras.append(ChildCamera("child_standin", identity, None, True))
        return self.cameras[-1]

    @property
    def status(self):
        return self.capture.status()

    def flows(self):
        return self.status.state == "running" and self.frames.take(0.5) is not None and self.status.age_s < 0.5

    def told(self):
        return " ".join(event.message for event in self.log.after())

    def stop(self):
        began_s = time.monotonic()
        self.capture.request_stop()
        ended = self.capture.join(began_s + 2.0)
        assert time.monotonic() - began_s < 2.3
        return ended


def runs(pid):
    return Path(f"/proc/{pid}").exists()


@pytest.fixture
def start(tmp_path, monkeypatch, standins):
    """Starts a capture of a stand-in with a fault, which strikes while the file `flag` is there."""
    monkeypatch.setenv("PYTHONPATH", str(STANDINS))
    started = []

    def begin(fault):
        run = Running(fault, tmp_path / "flag")
        started.append(run)
        return run

    yield begin
    for run in started:
        assert run.stop(), "a process that can be killed leaves nothing behind"
        assert not any(runs(camera.pid) for camera in run.cameras)


def test_a_camera_that_is_killed_is_back_and_the_reason_is_told(start, standins):
    run = start("none")
    standins.wait_until(run.flows)
    run.capture.set_control("exposure_ms", value=42.0)
    os.kill(run.cameras[0].pid, signal.SIGKILL)
    standins.wait_until(lambda: len(run.cameras) > 1 and run.flows())
    assert "killed" in run.told()
    assert "memory" in run.told()
    assert "is back after" in run.told()
    assert run.status.stalls == 0
    assert not runs(run.cameras[0].pid), "no zombie stays"
    assert run.capture.controls()[0].value == 42.0
    assert run.frames.take(1.0).pixels[0, 0, 0] == 42


def test_a_driver_that_hangs_is_killed_and_opened_anew(start, standins):
    run = start("hangs")
    standins.wait_until(run.flows)
    run.flag.touch()
    standins.wait_until(lambda: run.status.stalls == 1)
    run.flag.unlink()
    standins.wait_until(run.flows)
    assert not runs(run.cameras[0].pid)
    assert "does not return" not in run.told()


def test_a_stop_is_quick_while_a_driver_hangs(start, standins):
    run = start("hangs")
    standins.wait_until(run.flows)
    run.flag.touch()
    time.sleep(0.2)


def test_what_ends_the_program_does_not_end_its_camera_before_it(start, standins):
    run = start("none")
    standins.wait_until(run.flows)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(run.cameras[0].pid, number)
    time.sleep(0.2)
    standins.wait_until(run.flows)
    assert len(run.cameras) == 1
    assert run.told() == ""


def test_memory_that_is_not_there_is_a_sentence_and_no_crash(start, standins):
    run = start("poor")
    standins.wait_until(lambda: "memory" in run.told())
    assert run.status.captured == 0


def test_a_camera_does_not_outlive_a_program_that_is_killed(tmp_path, standins):
    flag = tmp_path / "flag"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, f"standin:hangs:{flag}"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(STANDINS)},
    )
    try:
        child = int(parent.stdout.readline())
        flag.touch()
        time.sleep(0.1)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    standins.wait_until(lambda: not runs(child) or _is_zombie(child), timeout_s=5)


def _is_zombie(pid):
    # One that nobody here reaps, since its parent is gone.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
