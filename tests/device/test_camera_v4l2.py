"""A V4L2 camera, on a fake of the kernel's driver: what is plugged in, pulled out, half sent, refused or set."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest

from hemonode.device.camera import open_camera
from hemonode.errors import DeviceError

pytestmark = pytest.mark.fake_v4l2

SMALL = "width=160,height=120"


def fake(driver, options=f"{SMALL},format=YUYV", rate_hz=200.0):
    return open_camera(f"v4l2:{driver.folder}/video0" + (f",{options}" if options else ""), rate_hz=rate_hz)


def test_frames_carry_the_drivers_numbers_and_stamps(driver):
    before_ns = time.monotonic_ns()
    with fake(driver) as camera:
        frames = [camera.read() for _ in range(5)]
        after_ns = time.monotonic_ns()
    assert camera.name == "Fake Microscope"
    assert before_ns < frames[0].captured_ns < frames[-1].captured_ns < after_ns
    assert frames[0].pixels.shape == (120, 160, 3)
    for frame in frames:
        # The fake's picture has a step at the column of its number.
        row = frame.pixels[60, :, 1].astype(int)
        assert np.flatnonzero(np.diff(row) < -10).tolist() in ([], [frame.sequence - 1])
    assert driver.streaming == 0
