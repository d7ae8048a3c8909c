"""Every camera: frames one after another, evenly, until it is closed. A new camera is one line in CAMERAS_HERE."""

from __future__ import annotations

import functools
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_standins import MjpegServer

from hemonode.device.camera import CAMERAS, CameraEntry, open_camera
from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame
from hemonode.device.host.video import find_video_devices
from hemonode.errors import DeviceError

LENGTH = 6
FAST_HZ = 200.0
SLOW_HZ = 0.2


def _simulated(folder, driver):
    return "simulated:seed=3,width=160,height=120,red_cell_px=30"


def _folder(folder, driver):
    for number in range(LENGTH):
        cv2.imwrite(str(folder / f"{number:02}.png"), np.full((96, 128, 3), 30 * number + 20, np.uint8))
    return str(folder)


def _picture(folder, driver):
    return _folder(folder, driver) + "/02.png"


def _video(folder, driver):
    writer = cv2.VideoWriter(str(folder / "scan.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 20, (160, 128))
    assert writer.isOpened()
    for number in range(LENGTH):
        writer.write(np.full((128, 160, 3), 30 * number + 20, np.uint8))
    writer.release()
    return str(folder / "scan.avi")


def _v4l2(folder, driver):
    driver.plug_in(0, by_id="usb-Fake_Microscope-video-index0")
    driver.set(stepwise=1)
    return f"v4l2:{driver.root}/dev/v4l/by-id/usb-Fake_Microscope-video-index0,width=160,height=120,format=YUYV"


def _v4l2_jpeg(folder, driver):
    driver.send_jpeg(cv2.imencode(".jpg", np.full((120, 160, 3), 90, np.uint8))[1].tobytes())
    return _v4l2(folder, driver).replace("YUYV", "MJPG")


def _loopback(folder, driver):
    """A real kernel's, where v4l2loopback is loaded and something feeds it: ffmpeg -f lavfi -i testsrc2 -f v4l2 …"""
    for device in find_video_devices():
        if device.captures and Path(f"/sys/devices/virtual/video4linux/{device.path.name}").exists():
            return f"v4l2:{device.path}"
    pytest.skip("no v4l2loopback device that gives pictures (modprobe v4l2loopback, and feed it); a fake is tested")


def _child(folder, driver):
    return f"child{_simulated(folder, driver).removeprefix('simulated')}"


def _http(folder, driver):
    return f"http://{_network_camera().address}/video"


@functools.cache
def _network_camera():
    """One for all tests: it ends with them."""
    return MjpegServer()


def _genicam(folder, driver):
    """The virtual one that the package genicam brings, behind a real GenTL producer."""
    pytest.importorskip("harvesters", reason="harvesters is not installed: pip install 'hemonode[genicam]'")
    return "genicam:1"


FAKE = pytest.mark.fake_v4l2
CAMERAS_HERE = {
    "simulated": _simulated,
    "folder": _folder,
    "picture": _picture,
    "video": _video,
    "v4l2": pytest.param(_v4l2, marks=FAKE),
    "v4l2-jpeg": pytest.param(_v4l2_jpeg, marks=FAKE),
    "loopback": _loopback,
    "simulated-in-a-child": _child,
    "http": _http,
    "genicam": _genicam,
}


@pytest.fixture(params=CAMERAS_HERE.values(), ids=CAMERAS_HERE)
def source(request, tmp_path, driver, monkeypatch):
    """What `open_camera` takes. In the parent of tests that run in a child, nothing."""
    if driver is None and request.node.get_closest_marker("fake_v4l2") is not None:
        return None
    monkeypatch.setitem(CAMERAS, "child", CameraEntry("hemonode.device.camera.simulated", in_child=True))
    package = find_spec("genicam")
    if package is not None:
        monkeypatch.setenv("GENICAM_GENTL64_PATH", str(Path(package.origin).parent))
    return request.param(tmp_path, driver)


def test_frames_are_pictures_with_rising_numbers_and_times(source):
    before_ns = time.monotonic_ns()
    with open_camera(source, rate_hz=FAST_HZ) as camera:
        frames = [camera.read() for _ in range(4)]
    assert all(isinstance(f, Frame) for f in frames)
    numbers = [f.sequence for f in frames]
    assert numbers == sorted(set(numbers))
    times = [before_ns, *(f.captured_ns for f in frames), time.monotonic_ns()]
    assert times == sorted(times)
    for frame in frames:
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.ndim == 3
        assert frame.pixels.shape[2] == 3
        assert frame.pixels.flags.c_contiguous
        assert frame.um_per_px is None or frame.um_per_px > 0


def test_the_time_is_that_of_capture(source):
    with open_camera(source, rate_hz=20.0) as camera:
        camera.read()
        asked_ns = time.monotonic_ns()
        frame = camera.read()
        assert asked_ns - 200_000_000 < frame.captured_ns <= time.monotonic_ns()


def test_a_camera_has_a_name_to_show_and_nothing_damaged(source):
    with open_camera(source) as camera:
        assert camera.name
        assert camera.damaged == 0


def test_its_identity_opens_the_same_again(source):
    with open_camera(source, rate_hz=FAST_HZ) as camera:
        identity, name = camera.identity, camera.name
        shape = camera.read().pixels.shape
    with open_camera(identity, rate_hz=FAST_HZ) as again:
        assert (again.identity, again.name) == (identity, name)
        assert again.read().pixels.shape == shape


def test_no_camera_writes_into_a_frame_it_gave(source):
    with open_camera(source, rate_hz=FAST_HZ) as camera:
        first = camera.read()
        kept = first.pixels.copy()
        for _ in range(6):
            camera.read()
        assert np.array_equal(kept, first.pixels)
        assert first.pixels.flags.writeable
        assert first.pixels.base is None or first.pixels.flags.owndata or first.pixels.base.flags.owndata


def test_a_closed_camera_gives_no_frames_and_closes_again(source):
    camera = open_camera(source)
    camera.close()
    camera.close()
    with pytest.raises(DeviceError, match="closed; open it again"):
        camera.read()


def test_closing_from_another_thread_ends_a_read_that_waits(source):
    camera = open_camera(source, rate_hz=SLOW_HZ)
    timer = threading.Timer(0.2, camera.close)
    timer.start()
    began_s = time.monotonic()
    # A camera need not be as slow as it is asked to be.
    with pytest.raises(DeviceError, match="closed; open it again"):  # noqa: PT012
        while time.monotonic() - began_s < 10:
            camera.read()
    assert time.monotonic() - began_s < 4
    timer.join()


@pytest.mark.parametrize("rate_hz", [0.0, -3.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(source, rate_hz):
    with pytest.raises(DeviceError, match="frames a second is not usable"):
        open_camera(source, rate_hz=rate_hz)


def test_every_control_is_in_range_and_keeps_what_it_was_set_to(source):
    with open_camera(source, rate_hz=FAST_HZ) as camera:
        for control in camera.controls():
            assert control.least <= control.value <= control.most
            assert control.step > 0
            assert control.label
            if control.automatic:
                assert not control.changeable
                control = camera.set_control(control.name, automatic=False)
                assert control.automatic is False
            if control.changeable:
                for value in (control.most, control.least):
                    assert camera.set_control(control.name, value=value).value == pytest.approx(value)
                assert _control(camera, control.name).value == pytest.approx(control.least)
            if control.automatic is not None:
                assert camera.set_control(control.name, automatic=True).automatic
                assert not _control(camera, control.name).changeable


def test_what_a_control_cannot_be_is_refused_and_changes_nothing(source):
    with open_camera(source, rate_hz=FAST_HZ) as camera:
        before = camera.controls()
        with pytest.raises(DeviceError, match=r"no control 'shine'"):
            camera.set_control("shine", value=1.0)
        for control in before:
            for wrong in (control.most + 1, control.least - 1, float("nan"), float("inf")):
                with pytest.raises(DeviceError, match=f"cannot take {control.name} = "):
                    camera.set_control(control.name, value=wrong, automatic=False if control.automatic else None)
            with pytest.raises(DeviceError, match="Nothing was asked"):
                camera.set_control(control.name)
            if control.automatic is None:
                with pytest.raises(DeviceError, match=f"cannot choose {control.name} by itself"):
                    camera.set_control(control.name, automatic=True)
        assert camera.controls() == before


def test_the_controls_of_a_closed_camera_do_not_hang(source):
    camera = open_camera(source)
    camera.close()
    try:
        camera.controls()
    except DeviceError as error:
        assert "closed" in str(error)  # noqa: PT017 - a replay has none to ask for


def _control(camera: Camera, name: str):
    return next(control for control in camera.controls() if control.name == name)
