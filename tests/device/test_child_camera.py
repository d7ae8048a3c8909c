"""A camera in a process of its own: whatever its driver does, we go on, and nothing is left behind."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import camera_standins
import pytest

from hemonode.device.camera import CAMERAS, CameraEntry, open_camera
from hemonode.device.camera.child import camera as child_camera
from hemonode.errors import DeviceError


@pytest.fixture
def opened(monkeypatch):
    """Opens odd cameras, and closes them all."""
    monkeypatch.setenv("PYTHONPATH", str(Path(camera_standins.__file__).parent))
    monkeypatch.setitem(CAMERAS, "odd", CameraEntry("camera_standins", in_child=True))
    cameras = []

    def open_odd(oddity="nothing", width=320, height=240, rate_hz=None):
        cameras.append(open_camera(f"odd:{oddity},{width},{height}", rate_hz=rate_hz))
        return cameras[-1]

    yield open_odd
    for camera in cameras:
        camera.close()


def is_running(pid):
    """One that waits to be reaped by another's parent counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid):
    until_s = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until_s:
        time.sleep(0.02)
    return not is_running(pid)


def read_on(camera):
    for _ in range(4):
        camera.read()


def holdings():
    """What could be left behind: descriptors, threads, processes, named memory, and memory in MB."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors, named = (sorted(Path(folder).iterdir()) for folder in ("/proc/self/fd", "/dev/shm"))
    fixed = len(descriptors), threading.active_count(), len(children), named
    return fixed, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_pictures_are_never_torn_and_come_with_all_that_belongs_to_them(opened):
    camera = opened(width=1280, height=720)
    numbers = []
    for _ in range(150):
        frame = camera.read()
        assert frame.pixels.min() == frame.pixels.max() == frame.sequence % camera_standins.SHADES
        assert frame.um_per_px == 0.25
        assert frame.sequence // 2 <= camera.damaged
        numbers.append(frame.sequence)
    assert numbers == sorted(set(numbers))


def test_one_who_reads_seldom_gets_what_was_just_taken(opened):
    camera = opened(rate_hz=100.0)
    camera.read()
    for _ in range(3):
        time.sleep(0.4)
        asked_ns = time.monotonic_ns()
        assert camera.read().captured_ns > asked_ns - 200_000_000


def test_pictures_may_change_their_size(opened):
    camera = opened("changes its size")
    seen = {}
    for _ in range(60):
        frame = camera.read()
        assert frame.pixels.shape == (240, 320 + 16 * (frame.sequence % 7), 3)
        assert frame.pixels.min() == frame.pixels.max() == frame.sequence % camera_standins.SHADES
        seen[frame.pixels.shape] = True
    assert len(seen) > 2


def test_a_thousand_pictures_leave_nothing_behind(opened):
    camera = opened()
    for _ in range(100):
        camera.read()
    fixed, memory_mb = holdings()
    for _ in range(1000):
        camera.read()
    fixed_later, memory_mb_later = holdings()
    assert fixed_later == fixed
    assert memory_mb_later < memory_mb + 5


def test_opening_and_closing_leaves_nothing_behind(opened):
    opened().close()
    before, _ = holdings()
    for oddity in ("nothing", "hangs", "crashes"):
        camera = opened(oddity, rate_hz=20.0)
        camera.read()
        camera.close()
        assert not is_running(camera.pid)
    assert holdings()[0] == before


def test_one_that_was_killed_is_told_with_the_likely_reason(opened):
    camera = opened()
    camera.read()
    os.kill(camera.pid, signal.SIGKILL)
    with pytest.raises(DeviceError, match=r"was killed \(SIGKILL\), as Linux does when memory runs out"):
        read_on(camera)
    with pytest.raises(DeviceError, match="was killed"):
        camera.controls()


def test_a_driver_that_crashes_takes_nothing_with_it(opened, caplog):
    camera = opened("crashes")
    with caplog.at_level(logging.INFO):
        with pytest.raises(DeviceError, match=r"crashed \(SIGSEGV\)"):
            read_on(camera)
        camera.close()
    assert any("Segmentation fault" in record.getMessage() for record in caplog.records)


def test_what_a_driver_throws_is_told_and_passwords_are_not(opened, caplog):
    camera = opened("throws")
    with caplog.at_level(logging.INFO):
        with pytest.raises(DeviceError, match=r"RuntimeError: voltage at http://camera/"):
            read_on(camera)
        camera.close()
    assert any("RuntimeError: voltage" in record.getMessage() for record in caplog.records)
    assert "secret" not in caplog.text


@pytest.mark.parametrize("oddity", ["hangs", "keeps the interpreter"])
def test_one_that_hangs_is_given_up_and_killed(opened, oddity):
    camera = opened(oddity, rate_hz=10.0)
    camera.patience_s = 0.6
    with pytest.raises(DeviceError, match=r"gave no picture for 0\.6 s"):
        read_on(camera)
    began_s = time.monotonic()
    camera.close()
    assert time.monotonic() - began_s < 4
    assert not is_running(camera.pid)


def test_one_that_does_not_close_is_killed(opened):
    camera = opened("does not close")
    camera.read()
    camera.close()
    assert not is_running(camera.pid)


def test_one_that_does_not_open_is_given_up_and_killed(opened, monkeypatch):
    monkeypatch.setattr(child_camera, "OPENS_WITHIN_S", 1.5)
    before, _ = holdings()
    with pytest.raises(DeviceError, match=r"odd:does not open,320,240 did not open within 1\.5 s"):
        opened("does not open")
    assert holdings()[0] == before


def test_controls_that_hang_hold_up_no_pictures(opened, monkeypatch):
    monkeypatch.setattr(child_camera, "ANSWERS_WITHIN_S", 0.3)
    camera = opened("does not answer")
    for _ in range(2):
        with pytest.raises(DeviceError, match="does not answer when asked about its settings"):
            camera.controls()
    assert camera.read().sequence >= 0


def test_controls_are_answered_while_a_picture_is_awaited(opened):
    camera = opened(rate_hz=0.2)
    errors = []

    def read():
        try:
            camera.read()
        except DeviceError as error:
            errors.append(str(error))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert [control.name for control in camera.controls()] == ["gain"]
    with pytest.raises(DeviceError, match="no control 'shine'"):
        camera.set_control("shine", value=1.0)
    camera.close()
    reader.join(5)
    assert "closed; open it again" in errors[0]


def test_ctrl_c_does_not_reach_it_and_it_holds_nothing_of_ours(opened):
    camera = opened()
    camera.read()
    os.kill(camera.pid, signal.SIGINT)
    assert camera.read().sequence > 0
    assert os.getsid(camera.pid) == camera.pid
    links = [str(link.readlink()) for link in Path(f"/proc/{camera.pid}/fd").iterdir()]
    assert sum(link.startswith("socket:") for link in links) == 2
    # Others can read these: an address may hold a password.
    assert b"odd:" not in Path(f"/proc/{camera.pid}/cmdline").read_bytes()


def test_too_little_shared_memory_is_a_sentence_and_no_crash(opened):
    camera = opened()
    resource.prlimit(camera.pid, resource.RLIMIT_FSIZE, (1000, 1000))
    with pytest.raises(DeviceError, match=r"There are no 0\.2 MB of shared memory for the camera's pictures"):
        camera.read()


@pytest.mark.parametrize("oddity", ["nothing", "keeps the interpreter"])
def test_it_ends_with_us_also_when_we_are_killed(opened, oddity):
    script = (
        "from hemonode.device.camera.child.camera import ChildCamera\n"
        f"camera = ChildCamera('camera_standins', 'odd:{oddity},64,64', 10.0, True)\n"
        "camera.read()\n"
        "print(camera.pid, flush=True)\n"
        "while True: camera.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.2)
        assert is_running(pid)
        parent.kill()
    assert wait_until_gone(pid)


def test_a_program_that_ends_without_closing_it_leaves_nothing_and_says_nothing(opened):
    script = (
        "from hemonode.device.camera.child.camera import ChildCamera\n"
        "camera = ChildCamera('camera_standins', 'odd:nothing,64,64', None, True)\n"
        "print(camera.pid, camera.read() is not None)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    pid, read = ended.stdout.split()
    assert read == "True"
    assert wait_until_gone(int(pid))
    assert ended.stderr == ""


def test_a_source_that_ends_has_ended(monkeypatch, tmp_path):
    monkeypatch.setitem(CAMERAS, "folder", CameraEntry("hemonode.device.camera.folder", in_child=True))
    (tmp_path / "a.jpg").write_bytes(camera_standins.jpeg(90))
    with open_camera(str(tmp_path), loop=False) as camera:
        assert camera.read().pixels.shape == (120, 160, 3)
        assert camera.read() is None
        assert camera.read() is None


def test_what_cannot_be_opened_is_told_as_without_a_process(monkeypatch):
    monkeypatch.setitem(CAMERAS, "odd", CameraEntry("hemonode.device.camera.simulated", in_child=True))
    with pytest.raises(DeviceError, match="has no option 'sead=3'"):
        open_camera("odd:sead=3")
