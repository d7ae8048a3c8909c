"""Folders, pictures and videos as if a camera took them: in order, at a rate, again and again, and broken."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.device.camera import camera_kind, open_camera
from hemonode.device.camera.pace import Pace
from hemonode.errors import DeviceError

LENGTH = 6
FAST_HZ = 500.0


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "fields"
    path.mkdir()
    for number in range(LENGTH):
        cv2.imwrite(str(path / f"{number:02}.png"), np.full((96, 128, 3), 30 * number + 20, np.uint8))
    return path


@pytest.fixture
def video(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "scan.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 20, (160, 128))
    assert writer.isOpened()
    for number in range(LENGTH):
        writer.write(np.full((128, 160, 3), 30 * number + 20, np.uint8))
    writer.release()
    return tmp_path / "scan.avi"


@pytest.fixture(params=["folder", "video"])
def replay(request, folder, video):
    return str({"folder": folder, "video": video}[request.param])


def test_opening_again_gives_the_same_pictures(replay):
    seen = []
    for _ in range(2):
        with open_camera(replay, rate_hz=FAST_HZ) as camera:
            seen.append([camera.read().pixels for _ in range(3)])
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))


def test_a_replay_ends_where_it_shall_not_loop(replay):
    with open_camera(replay, rate_hz=FAST_HZ, loop=False) as camera:
        frames = [camera.read() for _ in range(LENGTH)]
        assert [round(f.pixels.mean() / 30 - 2 / 3) for f in frames] == list(range(LENGTH))
        assert camera.read() is None
        assert camera.read() is None


def test_a_looping_replay_begins_again_and_keeps_counting(replay):
    with open_camera(replay, rate_hz=FAST_HZ) as camera:
        frames = [camera.read() for _ in range(2 * LENGTH + 1)]
    assert [f.sequence for f in frames] == list(range(2 * LENGTH + 1))
    assert np.array_equal(frames[0].pixels, frames[LENGTH].pixels)
    assert np.array_equal(frames[0].pixels, frames[2 * LENGTH].pixels)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now_ns = 10**12

        def wait(self, seconds):
            self.now_ns += round(seconds * 1e9) + 300_000  # sleeping always takes a little longer
            return False

    clock = Clock()
    monkeypatch.setattr("hemonode.device.camera.pace.time.monotonic_ns", lambda: clock.now_ns)
    monkeypatch.setattr("hemonode.device.camera.pace.threading.Event", lambda: clock)
    return clock


def test_the_rate_does_not_drift(clock):
    pace = Pace(100)
    times = [pace.wait() for _ in range(1001)]
    assert (times[-1] - times[0]) / 1e9 == pytest.approx(10.0, abs=0.001)


def test_after_a_stall_frames_do_not_come_in_a_burst(clock):
    pace = Pace(100)
    pace.wait()
    clock.now_ns += 1_000_000_000
    times = [pace.wait() for _ in range(20)]
    assert np.diff(times).max() < 11_000_000
    # The first moment after a stall lies on the old grid, so at most one step is short.
    assert (np.diff(times)[1:] > 9_000_000).all()


def test_sources_are_told_apart(folder, video):
    assert camera_kind("simulated") == camera_kind("simulated:seed=1") == "simulated"
    assert camera_kind(str(folder)) == camera_kind(str(folder / "00.png")) == "folder"
    assert camera_kind(str(video)) == "video"
    assert camera_kind("/dev/video0") == camera_kind("v4l2:serial=A1") == "v4l2"
    assert camera_kind("/dev/v4l/by-id/usb-Camera-video-index0") == "v4l2"
    assert camera_kind("csi:0,width=1280") == "csi"
    assert camera_kind("genicam:A1") == "genicam"
    assert camera_kind("rtsp://camera/1") == camera_kind("HTTPS://camera/1") == "stream"


@pytest.mark.parametrize("source", ["nowhere", "folder:x", "stream:x", "a\0b", "x" * 5000, "", "camera:0", "http:x"])
def test_what_names_no_camera_is_refused_with_what_does(source, monkeypatch, tmp_path):
    # An empty name would be the folder one is in.
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DeviceError, match=r"There is no folder, file or camera .*; give 'simulated', a folder|holds no pictures"
    ):
        open_camera(source)


def test_one_picture_is_shown_again_and_again(folder):
    with open_camera(str(folder / "02.png"), rate_hz=FAST_HZ) as camera:
        assert np.array_equal(camera.read().pixels, camera.read().pixels)


def test_a_broken_picture_is_logged_once_and_passed_over(folder, caplog):
    (folder / "01.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING), open_camera(str(folder), rate_hz=FAST_HZ) as camera:
        frames = [camera.read() for _ in range(3 * LENGTH)]
    assert [f.sequence for f in frames] == list(range(3 * LENGTH))
    assert len([r for r in caplog.records if "01.png" in r.getMessage()]) == 1


def test_a_folder_of_broken_pictures_is_an_error_and_not_an_endless_search(folder):
    for picture in folder.iterdir():
        picture.write_text("no picture")
    with (
        open_camera(str(folder), rate_hz=FAST_HZ) as camera,
        pytest.raises(DeviceError, match="None of the 6 pictures"),
    ):
        camera.read()


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DeviceError, match="holds no pictures"):
        open_camera(str(tmp_path))


def test_a_video_that_breaks_off_says_so(video):
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) // 2])
    with (  # noqa: PT012 - where it breaks off depends on the decoder
        pytest.raises(DeviceError, match=r"breaks off after|cannot be opened"),
        open_camera(str(video), rate_hz=FAST_HZ) as camera,
    ):
        for _ in range(LENGTH + 1):
            camera.read()


def test_a_file_that_is_no_video_is_refused(tmp_path):
    path = tmp_path / "scan.mp4"
    path.write_text("no video")
    with pytest.raises(DeviceError, match="cannot be opened"):
        open_camera(str(path))


def test_a_video_whose_name_is_not_in_utf_8_is_refused(video):
    odd = Path(os.fsdecode(os.fsencode(video.parent) + b"/caf\xe9.avi"))
    video.rename(odd)
    with pytest.raises(DeviceError, match=r"caf\\udce9.avi is not in UTF-8; rename it"):
        open_camera(str(odd))


def test_pictures_whose_names_are_not_in_utf_8_are_shown(folder):
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
    (folder / "05.png").rename(odd)
    with open_camera(str(folder), rate_hz=FAST_HZ) as camera:
        assert len([camera.read() for _ in range(LENGTH)]) == LENGTH


def test_a_video_is_shown_at_its_own_rate_unless_another_is_chosen(video):
    for rate_hz, period_ms in ((None, 50), (100.0, 10)):
        with open_camera(str(video), rate_hz=rate_hz) as camera:
            times = [camera.read().captured_ns for _ in range(LENGTH)]
        # Late frames lie on the same grid.
        assert np.diff(times).mean() / 1e6 > 0.9 * period_ms
        assert np.diff(times).min() / 1e6 < 1.9 * period_ms
