"""A V4L2 camera, on a fake of the kernel's driver: pictures that come whole, half, late, or not at all."""

from __future__ import annotations

import os
import threading
import time

import cv2
import numpy as np
import pytest

from hemonode.device.camera import open_camera
from hemonode.errors import DeviceError

pytestmark = pytest.mark.fake_v4l2


def fake(driver, form="YUYV", number=0, options="", rate_hz=200.0):
    return open_camera(
        f"v4l2:{driver.root}/dev/video{number},width=160,height=120,format={form}{options}", rate_hz=rate_hz
    )


def jpeg(width=160, height=120):
    """A picture with noise, as a camera's is, so that each part of it needs data."""
    noise = np.random.default_rng(0).normal(0, 12, (height, width, 3))
    pixels = np.clip(np.linspace(60, 220, width)[None, :, None] + noise, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("hemonode.device.camera.v4l2.camera.SILENT_AFTER_S", 0.3)


def test_frames_carry_the_drivers_numbers_and_stamps(driver):
    before_ns = time.monotonic_ns()
    with fake(driver) as camera:
        frames = [camera.read() for _ in range(5)]
        after_ns = time.monotonic_ns()
    assert camera.name == "Fake Microscope"
    assert before_ns < frames[0].captured_ns < frames[-1].captured_ns < after_ns
    for frame in frames:
        # The fake's picture has a step at the column of its number.
        steps = np.flatnonzero(np.diff(frame.pixels[60, :, 1].astype(int)) < -10).tolist()
        assert steps in ([], [frame.sequence % 160 - 1])


def test_lines_with_something_behind_them_are_read_right(driver):
    with fake(driver) as camera:
        plain = camera.read()
    driver.set(padding=32)
    with fake(driver) as camera:
        padded = camera.read()
    assert padded.pixels.shape == plain.pixels.shape
    assert abs(padded.pixels[:, 100:].astype(int) - plain.pixels[:, 100:]).max() <= 1


def test_pictures_in_motion_jpeg_are_decoded(driver):
    driver.send_jpeg(jpeg() + bytes(200))  # cameras fill up their packets
    with fake(driver, "MJPG") as camera:
        frame = camera.read()
    assert frame.pixels.shape == (120, 160, 3)
    assert frame.pixels[:, -20:].mean() > frame.pixels[:, :20].mean() + 100
    assert camera.damaged == 0


@pytest.mark.parametrize("fault", ["broken", "half"])
def test_damaged_pictures_are_dropped_and_counted(driver, fault):
    driver.set(**{fault: 3})
    with fake(driver, rate_hz=30.0) as camera:
        frame = camera.read()
    assert camera.damaged == 3
    assert frame.sequence == 3


def _cut_off(data):
    return data[: len(data) // 2]


def _nearly_whole(data):
    return data[: 9 * len(data) // 10] + b"\xff\xd9"


def _without_its_middle(data):
    return data[: len(data) // 3] + data[2 * len(data) // 3 :]


def _of_another_size(data):
    return jpeg(176, 144)


def _claims_to_be_huge(data):
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :]


def _nothing(data):
    return b""


@pytest.mark.parametrize(
    "damage", [_cut_off, _nearly_whole, _without_its_middle, _of_another_size, _claims_to_be_huge, _nothing]
)
def test_a_damaged_jpeg_is_no_picture_with_a_grey_lower_half(driver, impatient, damage):
    driver.send_jpeg(damage(jpeg()))
    with (
        fake(driver, "MJPG") as camera,
        pytest.raises(DeviceError, match=r"sent \d+ damaged pictures in 0.3 s and no whole one; try another cable"),
    ):
        camera.read()
    assert camera.damaged > 3


def test_a_camera_that_stalls_is_an_error_after_a_while(driver, impatient):
    with fake(driver) as camera:
        camera.read()
        driver.set(stalled=1)
        with pytest.raises(DeviceError, match=r"Fake Microscope has sent no picture for 0.3 s"):  # noqa: PT012
            for _ in range(10):
                camera.read()
        driver.set(stalled=0)
        assert camera.read()


def test_pulling_the_plug_ends_a_read_at_once_and_the_identity_opens_it_again(driver):
    link = driver.root / "dev/v4l/by-id/usb-Fake_Microscope_A1-video-index0"
    driver.plug_in(0, by_id=link.name)
    camera = open_camera(f"v4l2:{link},width=160,height=120,format=YUYV,rate=200")
    camera.read()
    threading.Timer(0.2, lambda: driver.set(unplugged=1)).start()
    with pytest.raises(DeviceError, match="unplugged; plug it in again"):  # noqa: PT012
        while True:
            camera.read()
    with pytest.raises(DeviceError, match="unplugged"):
        camera.controls()
    camera.close()
    with pytest.raises(DeviceError, match="unplugged"):
        open_camera(camera.identity)
    # Back under another number.
    driver.plug_in(4, by_id=link.name)
    driver.set(unplugged=0)
    with open_camera(camera.identity) as again:
        assert again.read().pixels.shape == (120, 160, 3)
        assert again.identity == camera.identity


def test_a_driver_that_gives_up_is_an_error(driver):
    with fake(driver) as camera:
        camera.read()
        driver.set(stopped=1)
        with pytest.raises(DeviceError, match="cannot give a picture"):  # noqa: PT012
            while True:
                camera.read()


def test_closing_from_another_thread_ends_a_read_that_waits(driver):
    camera = fake(driver)
    driver.set(stalled=1)
    threading.Timer(0.2, camera.close).start()
    began_s = time.monotonic()
    with pytest.raises(DeviceError, match="closed; open it again"):  # noqa: PT012
        while True:
            camera.read()
    assert time.monotonic() - began_s < 3
    assert driver.streaming == 0


def test_a_driver_that_hangs_does_not_hold_up_closing(driver):
    camera = fake(driver)
    camera.read()
    driver.set(slow_ioctl_ms=2500)
    said = []

    def read():
        try:
            camera.read()
        except DeviceError as error:
            said.append(str(error))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    time.sleep(0.1)
    began_s = time.monotonic()
    camera.close()
    assert 0.5 < time.monotonic() - began_s < 2.4
    reader.join(20)
    assert ["closed" in sentence for sentence in said] == [True]
    assert driver.streaming == 0


def test_what_the_driver_lost_is_a_gap_in_the_numbers(driver):
    with fake(driver, rate_hz=30.0) as camera:
        first = camera.read()
        driver.set(gap=5)
        numbers = [camera.read().sequence for _ in range(3)]
    assert numbers[-1] >= first.sequence + 3 + 5


def test_a_driver_that_does_not_count_is_counted_for(driver):
    driver.set(always_zero=1)
    with fake(driver) as camera:
        assert [camera.read().sequence for _ in range(4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("oddity", ["other_clock", "no_stamp"])
def test_without_a_stamp_to_rely_on_the_time_is_when_the_picture_came(driver, oddity):
    with fake(driver) as camera:
        camera.read()
        driver.set(**{oddity: 1})
        for _ in range(4):
            camera.read()
        times = []
        for _ in range(3):
            times += [time.monotonic_ns(), camera.read().captured_ns]
    assert times == sorted(set(times))


def _without_end(data):
    assert data.endswith(b"\xff\xd9")
    return data[:-2]


def test_a_jpeg_that_is_whole_but_for_its_end_mark_is_a_picture(driver):
    driver.send_jpeg(_without_end(jpeg()))
    with fake(driver, "MJPG") as camera:
        assert camera.read().pixels[-8:].std() > 5
        assert camera.damaged == 0


def test_after_a_pause_the_first_picture_is_not_an_old_one(driver):
    with fake(driver) as camera:
        camera.read()
        time.sleep(0.5)
        asked_ns = time.monotonic_ns()
        # The driver filled its memory in the first 20 ms.
        assert camera.read().captured_ns > asked_ns - 100_000_000


def test_a_camera_in_use_is_refused_and_free_again_afterwards(driver):
    with fake(driver) as camera:
        with pytest.raises(DeviceError, match="in use by another program; close that one"):
            fake(driver, number=4) if driver.plug_in(4) else None
        assert camera.read()
    with fake(driver) as camera:
        assert camera.read()


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("usb_full", "too little of its USB is left"),
        ("of_others", 'run: sudo usermod -aG video "\\$USER"; then log out'),
    ],
)
def test_what_keeps_a_camera_from_streaming_is_said_with_what_helps(driver, fault, why):
    driver.set(**{fault: 1})
    with pytest.raises(DeviceError, match=why):
        fake(driver)
    assert driver.streaming == 0


def test_nothing_stays_open(driver):
    def files():
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    before = None
    for _ in range(5):
        with fake(driver) as camera:
            camera.read()
        with pytest.raises(DeviceError):
            fake(driver, "RGB3")
        with pytest.raises(DeviceError):
            fake(driver, number=1)
        assert driver.streaming == 0
        before = before or files()
    assert driver.streaming == 0
    assert files() == before
