"""A sensor on a ribbon cable. No machine of ours has one: GStreamer is a stand-in here, what it is told is checked."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hemonode.device.camera import csi
from hemonode.device.camera.source import read_source
from hemonode.errors import DeviceError


class StandIn:
    """What OpenCV would give for a pipeline."""

    asked: tuple = ()
    opens = True
    pictures = 3

    def __init__(self, *asked):
        StandIn.asked = asked
        self.left = self.pictures
        self.released = False

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.opens

    def read(self):
        self.left -= 1
        return (True, np.full((4, 6, 3), self.left, np.uint8)) if self.left >= 0 else (False, None)

    def release(self):
        self.released = True


@pytest.fixture
def gstreamer(monkeypatch):
    monkeypatch.setattr(csi.cv2.videoio_registry, "hasBackend", lambda backend: backend == cv2.CAP_GSTREAMER)
    monkeypatch.setattr(csi.cv2, "VideoCapture", StandIn)
    return monkeypatch


def pipeline(source, rate_hz=None):
    return csi.pipeline(read_source(source, csi.OPTIONS), rate_hz)


def test_the_newest_picture_alone_is_kept():
    assert pipeline("csi:1") == (
        "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM) ! nvvidconv ! video/x-raw,format=BGRx ! videoconvert "
        "! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false"
    )


@pytest.mark.parametrize(
    ("source", "rate_hz", "part"),
    [
        ("csi:0,width=1920,height=1080", None, "! video/x-raw(memory:NVMM),width=1920,height=1080 !"),
        ("csi:0,rate=30", None, "! video/x-raw(memory:NVMM),framerate=30/1 !"),
        ("csi:0,rate=30", 29.97, "! video/x-raw(memory:NVMM),framerate=2997/100 !"),
        ("csi:0,exposure_ms=8.5", None, 'sensor-id=0 exposuretimerange="8500000 8500000" !'),
        ("csi:0,gain=2", None, 'sensor-id=0 gainrange="2 2" ispdigitalgainrange="1 1" !'),
    ],
)
def test_what_is_asked_for_reaches_the_sensor(source, rate_hz, part):
    assert part in pipeline(source, rate_hz)


@pytest.mark.parametrize(
    "source",
    [
        *("csi:", "csi:front", "csi:-1", "csi:0 ! filesink location=x", "csi:0,width=640", "csi:0,width=0,height=0"),
        *("csi:0,rate=0", "csi:0,gain=0", "csi:0,exposure_ms=-1", "csi:0,exposure_ms=nan", "csi:0,shine=1"),
    ],
)
def test_what_makes_no_sense_is_refused(source):
    with pytest.raises(DeviceError, match=r"names no sensor|needs|not usable|no option"):
        pipeline(source)


def test_pictures_are_numbered_and_their_end_is_an_error(gstreamer):
    with csi.open_camera("csi:0", None, True) as camera:
        assert StandIn.asked == (pipeline("csi:0"), cv2.CAP_GSTREAMER)
        assert [camera.read().sequence for _ in range(3)] == [0, 1, 2]
        with pytest.raises(DeviceError, match="CSI camera 0 stopped"):
            camera.read()
    with pytest.raises(DeviceError, match="was closed; open it again"):
        camera.read()


def test_one_that_does_not_open_says_what_to_check(gstreamer):
    gstreamer.setattr(StandIn, "opens", False)
    with pytest.raises(DeviceError, match=r"csi:2 gives no pictures; check its cable .* nvargus-daemon"):
        csi.open_camera("csi:2", None, True)


def test_an_opencv_without_gstreamer_is_told_so(monkeypatch):
    monkeypatch.setattr(csi.cv2.videoio_registry, "hasBackend", lambda _: False)
    with pytest.raises(DeviceError, match="OpenCV with GStreamer, which pip's never has"):
        csi.open_camera("csi:0", None, True)
