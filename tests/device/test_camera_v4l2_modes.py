"""Which format, size and rate a V4L2 camera is asked for, and what is said where it takes another."""

from __future__ import annotations

import pytest

from hemonode.device.camera import open_camera
from hemonode.device.camera.v4l2.modes import Offer, Wish, choose
from hemonode.errors import DeviceError

# As a usual USB camera tells them.
USUAL = (
    Offer("YUYV", 640, 480, 30.0),
    Offer("YUYV", 1280, 720, 10.0),
    Offer("YUYV", 1920, 1080, 5.0),
    Offer("MJPG", 640, 480, 60.0),
    Offer("MJPG", 1280, 720, 30.0),
    Offer("MJPG", 1920, 1080, 30.0),
    Offer("H264", 1920, 1080, 60.0),
)


@pytest.mark.parametrize(
    ("wish", "index"),
    [
        (Wish(), 4),
        (Wish(640, 480), 0),
        (Wish(640, 480, rate_hz=60.0), 3),
        (Wish(1280, 720), 4),
        (Wish(1280, 720, rate_hz=10.0), 1),
        (Wish(1280, 720, "YUYV"), 1),
        (Wish(width=1920), 5),
        (Wish(1900, 1000), 5),
        (Wish(format="YUYV"), 0),
        (Wish(rate_hz=60.0), 3),
    ],
)
def test_the_size_asked_for_comes_first_then_the_rate_then_what_is_not_compressed(wish, index):
    assert choose("The camera", USUAL, wish) == USUAL[index]


def test_a_camera_without_rates_gives_its_largest_usual_size():
    offers = [Offer("YUYV", 640, 480, None), Offer("YUYV", 1280, 960, None), Offer("YUYV", 2592, 1944, None)]
    assert choose("The camera", offers, Wish()) == offers[1]


def test_a_format_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(DeviceError, match=r"formats YUYV, MJPG, H264, and GREY is wanted"):
        choose("The camera", USUAL, Wish(format="GREY"))


def fake(driver, options, number=0, rate_hz=None):
    return open_camera(f"v4l2:{driver.root}/dev/video{number},{options}", rate_hz=rate_hz)


@pytest.mark.fake_v4l2
def test_a_camera_that_does_as_it_is_told_leaves_no_remark(driver):
    with fake(driver, "width=160,height=120,format=yuyv,rate=500") as camera:
        assert [remark for remark in camera.remarks if "instead" in remark] == []
        assert driver.get("rate_hz") == 500


@pytest.mark.fake_v4l2
def test_without_a_wish_the_rate_is_a_usual_one(driver):
    with fake(driver, "width=160,height=120,format=YUYV"):
        assert driver.get("rate_hz") == 30


@pytest.mark.fake_v4l2
@pytest.mark.parametrize(
    ("switch", "options", "remark"),
    [
        ("insists_on_vga", "width=160,height=120", "gives 640×480 px instead of 160×120"),
        (None, "width=200,height=130,format=YUYV", "gives 160×120 px instead of 200×130"),
        (None, "width=160,height=120,format=YUYV,rate=100", "gives 30 pictures a second instead of 100"),
        ("no_rate", "width=160,height=120,rate=20", "cannot be told its rate"),
    ],
)
def test_what_the_camera_does_otherwise_is_said(driver, switch, options, remark):
    if switch is not None:
        driver.set(**{switch: 1})
    with fake(driver, options) as camera:
        assert any(remark in said for said in camera.remarks)


@pytest.mark.fake_v4l2
def test_a_size_that_can_be_set_freely_is_taken_to_the_next_step(driver):
    driver.set(stepwise=1)
    with fake(driver, "width=333,height=200,format=YUYV") as camera:
        assert camera.read().pixels.shape == (200, 320, 3)


@pytest.mark.fake_v4l2
@pytest.mark.parametrize(
    ("number", "why"),
    [
        (1, "gives no pictures: it may be the one for the camera's metadata"),
        (2, "in the formats RG10, and one of YUYV"),
        (3, "in several planes"),
    ],
)
def test_a_device_that_gives_nothing_of_use_says_why(driver, number, why):
    with pytest.raises(DeviceError, match=why):
        fake(driver, "", number)


@pytest.mark.fake_v4l2
def test_a_driver_that_insists_on_a_format_we_do_not_know_is_refused(driver):
    driver.set(foreign=1)
    with pytest.raises(DeviceError, match="insists on pictures in the format H264"):
        fake(driver, "")


@pytest.mark.fake_v4l2
def test_a_file_is_no_camera(driver, tmp_path):
    (tmp_path / "video0").write_text("no device")
    with pytest.raises(DeviceError, match="is no video device"):
        open_camera(f"v4l2:{tmp_path}/video0")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("v4l2:0", "names no camera; give a path or serial"),
        ("v4l2:", "names no camera; give a path or serial"),
        ("/dev/video99", "There is no camera /dev/video99; plug it in"),
        ("v4l2:/dev/v4l/by-id/usb-Gone=1-index0,width=640", "There is no camera /dev/v4l/by-id/usb-Gone=1-index0"),
        ("v4l2:serial=NONE", "There is no camera with the serial number NONE"),
        ("v4l2:/dev/video99,serial=A", "both name a camera"),
        ("v4l2:/dev/video99,depth=8", "has no option 'depth=8'; write name=value with serial, width"),
        ("v4l2:/dev/video99,width=", "has no option 'width='"),
        ("v4l2:/dev/video99,width=1,width=2", "option width twice"),
        ("v4l2:/dev/video99,width=-5", "width=-5 of v4l2: needs a whole number"),
        ("v4l2:/dev/video99,rate=fast", "rate=fast of v4l2: needs a number"),
        ("v4l2:/dev/video99,rate=0", "frames a second is not usable"),
    ],
)
def test_a_wrong_source_is_refused_in_a_sentence(source, why):
    with pytest.raises(DeviceError, match=why):
        open_camera(source)
