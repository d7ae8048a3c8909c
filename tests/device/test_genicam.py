"""Industrial cameras: GenICam's own virtual one through a GenTL producer, and a stand-in for what that one lacks."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hemonode.device.camera import open_camera
from hemonode.device.camera.genicam import camera as genicam_camera
from hemonode.device.camera.genicam.pixels import DECODERS
from hemonode.errors import DeviceError

genapi = pytest.importorskip("genicam.genapi", reason="harvesters is not installed: pip install 'hemonode[genicam]'")


@pytest.fixture
def producer(monkeypatch):
    """The virtual cameras 0, 1 and 2, on which a game is played."""
    folder = Path(genapi.__file__).parent
    if not (folder / "viky.cti").exists():
        pytest.skip("this build of genicam brings no virtual producer")
    monkeypatch.setenv("GENICAM_GENTL64_PATH", str(folder))


def test_pictures_come_in_colour_and_numbered(producer):
    with open_camera("genicam:1,rate=100") as camera:
        frames = [camera.read() for _ in range(5)]
        assert camera.remarks == ()
        assert camera.identity == "genicam:1,rate=100"
    numbers = [frame.sequence for frame in frames]
    assert numbers == sorted(set(numbers))
    assert frames[0].pixels.shape == (400, 400, 3)
    # Its field is green.
    assert frames[0].pixels[..., 1].mean() > frames[0].pixels[..., 2].mean()


def test_what_was_asked_for_is_set_or_told(producer):
    with open_camera("genicam:2,format=Mono8,width=333,height=10000,rate=50") as camera:
        assert camera.read().pixels.shape == (800, 333, 3)
        assert camera.remarks == (
            "The camera 2 sends its pictures without colours, as Mono8.",
            "The camera 2 gives Height = 800 px; 10000 were asked for.",
        )


def test_closing_lets_go_of_it(producer):
    for _ in range(2):
        # In this process: the end of another would let go of it anyway.
        with genicam_camera.open_camera("genicam:0", None, True) as camera:
            camera.read()
            with pytest.raises(DeviceError, match=r"no camera with the serial number 0|close other programs"):
                genicam_camera.open_camera("genicam:0", None, True)


def test_one_that_is_not_there_is_told_with_those_that_are(producer):
    with pytest.raises(DeviceError, match=r"no camera with the serial number 77; plugged in now: genicam:0 \("):
        open_camera("genicam:77")


@pytest.mark.parametrize("options", ["format=Mono12", "format=RGB8", "width=wide", "rate=0", "shine=1"])
def test_what_it_cannot_do_is_refused(producer, options):
    with pytest.raises(DeviceError, match=r"has no format|gives no pictures as|needs a|not usable|no option"):
        open_camera(f"genicam:1,{options}")


@pytest.mark.parametrize("folders", ["", "/nowhere"])
def test_without_a_producer_it_says_what_to_install(monkeypatch, folders):
    monkeypatch.setenv("GENICAM_GENTL64_PATH", folders)
    with pytest.raises(DeviceError, match=r"no GenTL producer .* install the software of the camera's maker"):
        open_camera("genicam:1")


def test_without_harvesters_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "harvesters.core", None)
    with pytest.raises(DeviceError, match=r"pip install 'hemonode\[genicam\]'"):
        genicam_camera.open_camera("genicam:1", None, True)


class Node:
    """One of GenApi's."""

    def __init__(self, value, least=None, most=None, inc=None, choices=()):
        self._value, self.min, self.max, self.inc, self.symbolics = value, least, most, inc, choices
        self.locked_by = None

    def get_access_mode(self):
        return 3 if self.locked_by is not None and self.locked_by.value != "Off" else 4

    def has_inc(self):
        return self.inc is not None

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        if self.get_access_mode() != 4 or (self.symbolics and value not in self.symbolics):
            raise genapi.GenericException("Node is not writable. : AccessException thrown")
        self._value = value


AUTO = ("Off", "Once", "Continuous")


class Balance(Node):
    """Of what the selector says."""

    def __init__(self, selector):
        super().__init__(1.0, 0.1, 4.0)
        self._selector, self.held = selector, {"Red": 1.5, "Blue": 2.0}

    value = property(lambda self: self.held[self._selector.value])

    @value.setter
    def value(self, value):
        self.held[self._selector.value] = value


def microscope_camera():
    """What cameras at microscopes have and the virtual one has not."""
    nodes = SimpleNamespace(
        PixelFormat=Node("Mono8", choices=("Mono8", "BayerRG8")),
        ExposureAuto=Node("Continuous", choices=AUTO),
        ExposureTime=Node(12_345.0, 20.0, 1e6),
        GainAuto=Node("Off", choices=AUTO),
        Gain=Node(3.0, 0.0, 24.0, 0.1),
        BalanceWhiteAuto=Node("Off", choices=AUTO),
        BalanceRatioSelector=Node("Red", choices=("Red", "Blue")),
        TriggerMode=Node("On", choices=("Off", "On")),
        AcquisitionFrameRateEnable=Node(False),
        AcquisitionFrameRate=Node(200.0, 1.0, 60.0),
        Width=Node(1920, 16, 1920, 16),
    )
    nodes.BalanceRatio = Balance(nodes.BalanceRatioSelector)
    nodes.ExposureTime.locked_by, nodes.Gain.locked_by = nodes.ExposureAuto, nodes.GainAuto
    nodes.has_node = lambda name: name in vars(nodes)
    return nodes


class Acquirer:
    """A harvester and its acquirer, that give what a test puts there: data, or None for an incomplete picture."""

    Events = SimpleNamespace(INCOMPLETE_BUFFER=4)

    def __init__(self):
        self.remote_device = SimpleNamespace(node_map=microscope_camera())
        self.buffers = []
        self.left = threading.Event()

    def add_callback(self, event, callback):
        assert event == 4
        self.incomplete = callback

    def start(self):
        return

    def reset(self):
        self.left.set()

    def try_fetch(self, *, timeout):
        if not self.buffers:
            time.sleep(min(timeout, 0.01))
            return None
        data, frame_id = self.buffers.pop(0)
        if data is None:
            self.incomplete.emit(self)
            return None
        return Buffer(data, frame_id)


class Buffer:
    """Its memory is used again once it was given back."""

    def __init__(self, data, frame_id):
        part = SimpleNamespace(data=data, width=32, height=20, data_format="BayerRG8")
        self.payload = SimpleNamespace(components=[part])
        self.module = SimpleNamespace(frame_id=frame_id)
        self._data = data

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._data[:] = 0


@pytest.fixture
def acquirer(monkeypatch):
    made = Acquirer()
    monkeypatch.setattr(genicam_camera, "connect", lambda _: (made, made))
    return made


@pytest.fixture
def camera(acquirer):
    with genicam_camera.open_camera("genicam:A1,width=1000,rate=100", None, True) as opened:
        yield opened


def test_it_runs_free_and_in_colour(camera, acquirer):
    nodes = acquirer.remote_device.node_map
    assert nodes.PixelFormat.value == "BayerRG8"
    assert nodes.TriggerMode.value == "Off"
    assert nodes.AcquisitionFrameRateEnable.value is True
    assert nodes.Width.value == 992
    assert camera.remarks == ("The camera A1 gives AcquisitionFrameRate = 60 frames a second; 100 were asked for.",)


def test_controls_have_our_units(camera):
    held = {control.name: control for control in camera.controls()}
    assert list(held) == ["exposure_ms", "gain_db", "red_balance", "blue_balance"]
    exposure = held["exposure_ms"]
    assert (exposure.value, exposure.least, exposure.most, exposure.unit) == (12.345, 0.02, 1000.0, "ms")
    assert (exposure.automatic, exposure.changeable) == (True, False)
    assert (held["gain_db"].step, held["gain_db"].automatic) == (0.1, False)
    assert (held["red_balance"].value, held["blue_balance"].value) == (1.5, 2.0)


def test_an_exposure_is_locked_and_set(camera, acquirer):
    with pytest.raises(DeviceError, match="chooses exposure_ms by itself now"):
        camera.set_control("exposure_ms", value=5.0)
    control = camera.set_control("exposure_ms", value=5.0, automatic=False)
    assert (control.value, control.automatic, control.changeable) == (5.0, False, True)
    assert acquirer.remote_device.node_map.ExposureTime.value == 5000.0
    assert camera.set_control("exposure_ms", automatic=True).automatic


def test_red_and_blue_are_not_mixed_up(camera, acquirer):
    camera.set_control("blue_balance", value=3.0)
    assert acquirer.remote_device.node_map.BalanceRatio.held == {"Red": 1.5, "Blue": 3.0}


def test_incomplete_pictures_are_dropped_and_counted_and_numbers_rise(camera, acquirer):
    whole = np.full(32 * 20, 90, np.uint8)
    acquirer.buffers += [(whole.copy(), 65_535), (None, 0), (whole[:100].copy(), 1), (whole.copy(), 1)]
    first, second = camera.read(), camera.read()
    assert first.pixels.shape == second.pixels.shape == (20, 32, 3)
    assert (first.pixels == 90).all()
    assert camera.damaged == 2
    assert second.sequence > first.sequence


def test_closing_wakes_who_waits_and_lets_go(acquirer):
    camera = genicam_camera.open_camera("genicam:A1", None, True)
    timer = threading.Timer(0.1, camera.close)
    timer.start()
    with pytest.raises(DeviceError, match="was closed; open it again"):
        camera.read()
    assert acquirer.left.wait(20)
    timer.join()


@pytest.mark.parametrize("padding", [0, 7])
@pytest.mark.parametrize("name", DECODERS)
def test_every_format_shows_its_colours(name, padding):
    blue, green, red = 200, 120, 40
    height, width = 16, 24
    colours = {"B": blue, "G": green, "R": red, "a": 255}
    bgr = np.broadcast_to(np.uint8([blue, green, red]), (height, width, 3))
    if name.startswith("Bayer"):
        lines = np.empty((height, width), np.uint8)
        pattern = {"RG": "RGGB", "GR": "GRBG", "GB": "GBRG", "BG": "BGGR"}[name[5:7]]
        for place, colour in enumerate(pattern):
            lines[place // 2 :: 2, place % 2 :: 2] = colours[colour]
    elif name.startswith("YUV"):
        luma, v, u = cv2.cvtColor(bgr[:1, :1].copy(), cv2.COLOR_BGR2YCrCb)[0, 0]
        pair = (luma, u, luma, v) if name == "YUV422_8" else (u, luma, v, luma)
        lines = np.tile(np.uint8(pair), (height, width // 2))
    elif name == "Mono8":
        lines = np.full((height, width), green, np.uint8)
    else:
        lines = np.tile(np.uint8([colours[c] for c in name[: 4 if "a" in name[:4] else 3]]), (height, width))
    data = np.pad(lines, ((0, 0), (0, padding))).ravel()
    expected = (green,) * 3 if name == "Mono8" else (blue, green, red)
    shown = DECODERS[name](data, width, height)[8, 12].tolist()
    # The range of YUV differs a little from that of this conversion to it.
    assert shown == pytest.approx(expected, abs=25 if "YUV" in name else 0)
    assert DECODERS[name](data[: data.size // 2], width, height) is None
