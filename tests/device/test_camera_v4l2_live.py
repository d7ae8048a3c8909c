"""The live view's capture on a V4L2 camera that is pulled out and comes back as another number, or stalls."""

from __future__ import annotations

import time

import pytest

from hemonode.device.camera import open_camera
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog

pytestmark = pytest.mark.fake_v4l2

BY_ID = "usb-Maker_Camera_A1-video-index0"


@pytest.fixture
def live(driver):
    """A capture that runs; nothing in the parent."""
    if driver is None:
        yield None
        return
    driver.plug_in(0, by_id=BY_ID)
    source = f"v4l2:{driver.root}/dev/v4l/by-id/{BY_ID},width=160,height=120,format=YUYV,rate=100"
    frames = Mailbox()
    capture = Capture(open_camera(source), open_camera, frames, EventLog(), FaultLog(), "1", "v4l2")
    capture.start()
    yield capture, frames
    capture.request_stop()
    assert capture.join(time.monotonic() + 2)
    assert driver.streaming == 0


def test_a_camera_that_comes_back_as_another_number_goes_on_with_its_settings(driver, live):
    capture, frames = live
    assert frames.take(5)
    capture.set_control("exposure_ms", value=150, automatic=False)
    driver.set(unplugged=1)
    time.sleep(0.3)
    frames.take(0)
    (driver.root / "dev/video0").unlink()
    driver.reset_controls()
    driver.plug_in(4, by_id=BY_ID)
    assert frames.take(10)
    assert capture.status().reopened == 1
    assert {control.name: control.value for control in capture.controls()}["exposure_ms"] == 150


def test_a_camera_that_stalls_is_opened_again(driver, live, monkeypatch):
    monkeypatch.setattr("hemonode.device.camera.v4l2.camera.SILENT_AFTER_S", 0.3)
    capture, frames = live
    assert frames.take(5)
    driver.set(stalled=1)
    time.sleep(1.0)
    frames.take(0)
    driver.set(stalled=0)
    assert frames.take(10)
    assert capture.status().reopened >= 1
