"""Every camera: frames one after another, evenly, until it is closed."""

from __future__ import annotations

import logging
import time

import cv2
import numpy as np
import pytest

from hemonode.device.camera import camera_kind, open_camera
from hemonode.device.camera.pace import Pace
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

LENGTH = 6
FAST_HZ = 500.0


def write_video(path, frames=LENGTH):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (160, 128))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((128, 160, 3), 30 * number + 20, np.uint8))
    writer.release()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "fields"
    path.mkdir()
    for number in range(LENGTH):
        cv2.imwrite(str(path / f"{number:02}.png"), np.full((96, 128, 3), 30 * number + 20, np.uint8))
    return path


@pytest.fixture
def video(tmp_path):
    write_video(tmp_path / "scan.avi")
    return tmp_path / "scan.avi"


@pytest.fixture(params=["simulated", "folder", "video"])
def source(request, folder, video):
    return {"simulated": "simulated:seed=3", "folder": str(folder), "video": str(video)}[request.param]


@pytest.fixture(params=["folder", "video"])
def replay(request, folder, video):
    return str({"folder": folder, "video": video}[request.param])


def test_frames_are_pictures_with_rising_numbers_and_times(source):
    before_ns = time.monotonic_ns()
    with open_camera(source, rate_hz=FAST_HZ) as camera:
        frames = [camera.read() for _ in range(4)]
    assert all(isinstance(f, Frame) for f in frames)
    assert [f.sequence for f in frames] == [0, 1, 2, 3]
    times = [before_ns, *(f.captured_ns for f in frames), time.monotonic_ns()]
    assert times == sorted(times)
    for frame in frames:
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.ndim == 3
        assert frame.pixels.shape[2] == 3
        assert frame.um_per_px is None or frame.um_per_px > 0


def test_a_camera_has_a_name_to_show(source):
    with open_camera(source) as camera:
        assert camera.name


def test_no_camera_writes_into_a_frame_it_gave(source):
    with open_camera(source, rate_hz=FAST_HZ) as camera:
        first = camera.read()
        kept = first.pixels.copy()
        first_again = first.pixels
        camera.read()
        camera.read()
        assert np.array_equal(kept, first_again)
        assert first.pixels.flags.writeable


def test_a_closed_camera_gives_no_frames_and_closes_again(source):
    camera = open_camera(source)
    camera.close()
    camera.close()
    with pytest.raises(DeviceError, match="closed; open it again"):
        camera.read()


def test_opening_again_gives_the_same_pictures(source):
    seen = []
    for _ in range(2):
        with open_camera(source, rate_hz=FAST_HZ) as camera:
            seen.append([camera.read().pixels for _ in range(3)])
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.mark.parametrize("rate_hz", [0.0, -3.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(source, rate_hz):
    with pytest.raises(DeviceError, match="frames a second is not usable"):
        open_camera(source, rate_hz=rate_hz)


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

        def sleep(self, seconds):
            self.now_ns += round(seconds * 1e9) + 300_000  # sleeping always takes a little longer

    clock = Clock()
    monkeypatch.setattr("hemonode.device.camera.pace.time.monotonic_ns", lambda: clock.now_ns)
    monkeypatch.setattr("hemonode.device.camera.pace.time.sleep", clock.sleep)
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
    with pytest.raises(DeviceError, match="no camera 'nowhere'; give 'simulated', a folder"):
        open_camera("nowhere")


@pytest.mark.parametrize("options", ["sead=3", "seed", "seed=", "seed=x", "rate=fast", "stain=green", "white_cells=50"])
def test_a_wrong_option_of_the_simulated_microscope_is_refused(options):
    with pytest.raises(DeviceError, match=r"no option|needs a|no stain|cannot take"):
        open_camera(f"simulated:{options}")


def test_the_options_of_the_simulated_microscope_choose_the_smear():
    views = []
    for source in ("simulated:seed=3,stain=pink", "simulated:seed=3,stain=teal", "simulated:seed=4,stain=pink"):
        with open_camera(source, rate_hz=FAST_HZ) as camera:
            views.append(camera.read_with_truth()[1])
    assert views[0].pixels.mean() > views[1].pixels.mean() + 20
    assert not np.array_equal(views[0].class_ids, views[2].class_ids)


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
