"""`hemonode live` from start to Ctrl-C, and what it says when it cannot start."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time

import cv2
import httpx
import pytest

from hemonode.errors import DeviceError, HemonodeError
from hemonode.runtime.live.config import LiveConfig
from hemonode.runtime.live.launch import page_address, serve
from hemonode.runtime.web.server import listen

COMMAND = [sys.executable, "-u", "-c", "from hemonode.cli import main; main()", "live"]


@pytest.fixture(scope="module")
def smears(tmp_path_factory, draw_cells):
    folder = tmp_path_factory.mktemp("smears")
    discs = [(2, 80, 70, 40), (2, 160, 90, 40), (1, 230, 150, 80), (3, 60, 180, 16)]
    cv2.imwrite(str(folder / "field.png"), draw_cells(240, 320, discs))
    return folder


@pytest.fixture
def options(colour_bundle, smears):
    def make(**changed):
        return LiveConfig(
            source=[{"source": changed.pop("source", str(smears))}],
            model={"bundles": [colour_bundle.folder], "engine": "cpu"},
            scale={"red_cell_px": 40.0},
            page={"port": 0, **changed},
        )

    return make


def started(bundle, smears):
    """The command, on a port of its own, with a target that no load keeps it from."""
    asked = ["--engine", "cpu", "--port", "0", "--red-cell-px", "40", "--target-ms", "10000", "--bundle"]
    asked += [str(bundle.folder), str(smears)]
    return subprocess.Popen([*COMMAND, *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_shows_counts_and_ends_cleanly(colour_bundle, smears, standins, end):
    running = started(colour_bundle, smears)
    try:
        url = running.stdout.readline().split()[2]
        assert running.stdout.readline().startswith("colours, solver rk4-1, on cpu fp32 (")
        standins.wait_until(lambda: httpx.get(f"{url}api/status", timeout=30).json()["results"] > 0, timeout_s=60)
        status = httpx.get(f"{url}api/status", timeout=30).json()
        assert status["model"]["bundle"] == "colours"
        assert status["solver"]["setting"] == "rk4-1"
        running.send_signal(end)
        _, complaints = running.communicate(timeout=60)
    finally:
        running.kill()
    assert all(json.loads(line)["level"] == "info" for line in complaints.splitlines()), complaints
    assert running.returncode == 0


def test_a_port_in_use_is_one_sentence_and_exit_1(colour_bundle):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_an_address_of_another_machine_is_told_from_a_port_in_use():
    with pytest.raises(HemonodeError, match="address of this machine with --host"):
        listen("192.0.2.1", 0)


def test_ctrl_c_again_and_again_still_ends_cleanly(colour_bundle, smears):
    running = started(colour_bundle, smears)
    try:
        assert running.stdout.readline().startswith("Live at")
        while running.poll() is None:
            running.send_signal(signal.SIGINT)
            time.sleep(0.03)
        _, complaints = running.communicate(timeout=60)
    finally:
        running.kill()
    assert (running.returncode, "Fatal" in complaints, "stopped by" in complaints) == (0, False, False), complaints


def test_a_camera_that_is_not_there_is_named(options):
    with pytest.raises(DeviceError, match="no-such-camera"):
        serve(options(source="no-such-camera"), announce=pytest.fail)


@pytest.mark.parametrize(("names", "shown"), [((), socket.gethostname()), (("microscope.lab",), "microscope.lab")])
def test_the_address_that_is_told_of_a_page_for_all_is_one_that_others_can_open(options, names, shown):
    with page_address(options(host="0.0.0.0", token="correct-horse-battery", names=names).page) as page:
        assert page.url().startswith(f"http://{shown}:")


def test_a_public_address_without_a_token_is_refused_before_anything_opens(options):
    with pytest.raises(HemonodeError, match="HEMONODE_TOKEN"):
        serve(options(host="0.0.0.0", source="no-such-camera"), announce=pytest.fail)
