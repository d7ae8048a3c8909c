"""A video device that is not there, for tests of V4L2 cameras: they run in a child with a fake driver before its libc.

Linux's own stand-in, v4l2loopback, is a kernel module, which neither a container nor most CI machines can load.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

MARK = "fake_v4l2"
DRIVER = Path(__file__).parent / "fake_v4l2" / "driver.c"
HEADER = Path("/usr/include/linux/videodev2.h")
CHILD_S = 200

# Set in the child only: below where its devices lie, the driver, and where it tells the parent what came of its tests.
FOLDER, LIBRARY, OUTCOMES = (os.environ.get(name) for name in ("FAKE_V4L2", "LD_PRELOAD", "FAKE_V4L2_OUTCOMES"))

outcomes_key = pytest.StashKey[dict[str, list[str]]]()


def pytest_configure(config):
    config.addinivalue_line("markers", f"{MARK}: runs in a child process with a fake V4L2 driver")


def pytest_runtest_logreport(report):
    """The child tells of each test: "passed", or what went wrong."""
    if OUTCOMES is not None and (report.when == "call" or not report.passed):
        text = "passed" if report.passed else f"{report.outcome} in {report.when}:\n{report.longreprtext}"
        with Path(OUTCOMES).open("a") as file:
            file.write(json.dumps([report.nodeid, text]) + "\n")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """In the parent, a marked test is what came of it in the child, which runs all of them at once."""
    if FOLDER is not None or pyfuncitem.get_closest_marker(MARK) is None:
        return None
    why_not = _missing()
    if why_not is not None:
        pytest.skip(why_not)
    stash = pyfuncitem.session.stash
    if outcomes_key not in stash:
        stash[outcomes_key] = _run_child(pyfuncitem)
    told = stash[outcomes_key]
    for text in told.get(pyfuncitem.nodeid) or [f"The child ended before this test:\n{told['']}"]:
        if text != "passed":
            pytest.fail(text, pytrace=False)
    return True


def _missing():
    if sys.platform != "linux":
        return "V4L2 is Linux's"
    if shutil.which("gcc") is None or not HEADER.exists():
        return f"no gcc, or no {HEADER}, to build the fake V4L2 driver; on Debian: apt install gcc linux-libc-dev"
    return None


def _run_child(item):
    folder = item._request.getfixturevalue("tmp_path_factory").mktemp("fake_v4l2")
    library, outcomes = folder / "fake_v4l2.so", folder / "outcomes.jsonl"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-pthread"]
    subprocess.run(["gcc", *flags, "-o", library, DRIVER], check=True)
    marked = [other.nodeid for other in item.session.items if other.get_closest_marker(MARK) is not None]
    environment = {"FAKE_V4L2": str(folder), "LD_PRELOAD": str(library), "FAKE_V4L2_OUTCOMES": str(outcomes)}
    child = subprocess.run(
        ["timeout", str(CHILD_S), sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *marked],
        cwd=item.config.rootpath,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    told = defaultdict(list, {"": [child.stdout[-2000:] + child.stderr[-2000:]]})
    for line in outcomes.read_text().splitlines() if outcomes.exists() else []:
        nodeid, text = json.loads(line)
        told[nodeid].append(text)
    return told


class Driver:
    """The fake driver, in the child.

    Attributes:
        root: of a machine of its own, whose dev/ holds video0 (a camera), video1 (its metadata), video2 (a raw sensor)
            and video3 (one that gives its pictures in planes).
    """

    def __init__(self, root):
        self.root = root
        for number in range(4):
            self.plug_in(number)
        self._calls = ctypes.CDLL(LIBRARY)
        self._calls.fake_get.restype = ctypes.c_long
        self._calls.fake_jpeg.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        self._calls.fake_reset()

    def plug_in(self, number, name="Fake Microscope", serial=None, by_id=None, by_path=None):
        """Make a device, and what Linux and udev tell of it."""
        device = self.root / "dev" / f"video{number}"
        device.parent.mkdir(parents=True, exist_ok=True)
        if not device.exists():
            # Something that may be opened and asked, as a device may and a file may not.
            os.mkfifo(device)
        interface = self.root / "sys/devices/usb1" / f"1-{number - number % 2}" / "1-1:1.0"
        told = self.root / "sys/class/video4linux" / device.name
        for folder in (interface, told):
            folder.mkdir(parents=True, exist_ok=True)
        (told / "name").write_text(f"{name}\n")
        (told / "index").write_text(f"{number % 2}\n")
        if not (told / "device").exists():
            (told / "device").symlink_to(interface)
        if serial is not None:
            (interface.parent / "serial").write_text(f"{serial}\n")
        for folder, link in (("by-id", by_id), ("by-path", by_path)):
            if link is not None:
                at = self.root / "dev/v4l" / folder / link
                at.parent.mkdir(parents=True, exist_ok=True)
                at.unlink(missing_ok=True)
                at.symlink_to(device)
        return device

    def set(self, **switches):
        """Faults and oddities, by the names in driver.c."""
        for name, value in switches.items():
            self._calls.fake_set(name.encode(), ctypes.c_long(value))

    def get(self, name):
        return self._calls.fake_get(name.encode())

    def reset_controls(self):
        """What happens to a camera that is plugged out and in again."""
        self._calls.fake_reset()

    def control(self, number):
        """What V4L2 holds for a control."""
        return self._calls.fake_control(number)

    def send_jpeg(self, data):
        """What each picture in MJPG is from now on."""
        self._calls.fake_jpeg(data, len(data))

    @property
    def streaming(self):
        """How many devices were not closed."""
        return self._calls.fake_streaming()


_machines = itertools.count()


@pytest.fixture
def driver():
    """The fake V4L2 driver, with its devices plugged in. None in the parent, where no marked test runs."""
    return None if FOLDER is None else Driver(Path(FOLDER) / str(next(_machines)))
