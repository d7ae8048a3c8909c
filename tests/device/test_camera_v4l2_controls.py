"""A V4L2 camera's exposure, gain and white balance: in units, with ranges, locked and unlocked, and read back."""

from __future__ import annotations

import logging

import pytest

from hemonode.device.camera import open_camera
from hemonode.device.camera.contract import Control
from hemonode.errors import DeviceError

pytestmark = pytest.mark.fake_v4l2

EXPOSURE_AUTO, EXPOSURE_ABSOLUTE, BRIGHTNESS, WHITE_BALANCE = 0x009A0901, 0x009A0902, 0x00980900, 0x0098091A


def fake(driver, options=""):
    return open_camera(f"v4l2:{driver.root}/dev/video0,width=160,height=120,format=YUYV,rate=200{options}")


def test_controls_have_units_ranges_and_automatic_modes(driver):
    with fake(driver) as camera:
        told = {control.name: control for control in camera.controls()}
    assert told["exposure_ms"] == Control("exposure_ms", "Exposure", "ms", 25.0, 0.3, 204.7, 0.1, True, False)
    assert told["white_balance_k"] == Control(
        "white_balance_k", "White balance", "K", 4600, 2800, 6500, 10, True, False
    )
    assert told["gain"] == Control("gain", "Gain", "", 64, 0, 255, 1, None, True)


def test_what_is_fixed_in_use_or_without_meaning_cannot_be_set(driver):
    with fake(driver) as camera:
        told = {control.name: control for control in camera.controls()}
        assert not told["saturation"].changeable
        assert not told["sharpness"].changeable
        # Switched off by the driver, not to be read, and with a single value.
        assert not {"hue", "zoom", "gamma"} & set(told)
        with pytest.raises(DeviceError, match="sharpness of Fake Microscope cannot be changed now"):
            camera.set_control("sharpness", value=3)


def test_an_automatic_mode_is_locked_and_unlocked(driver):
    with fake(driver) as camera:
        with pytest.raises(DeviceError, match="chooses exposure_ms by itself now; switch that off"):
            camera.set_control("exposure_ms", value=10)
        locked = camera.set_control("exposure_ms", automatic=False)
        assert (locked.automatic, locked.changeable) == (False, True)
        assert driver.control(EXPOSURE_AUTO) == 1
        assert camera.set_control("exposure_ms", value=10).value == 10
        assert driver.control(EXPOSURE_ABSOLUTE) == 100
        assert camera.set_control("exposure_ms", automatic=True).automatic
        # The menu of this camera has no "all automatic".
        assert driver.control(EXPOSURE_AUTO) == 3


def test_a_camera_with_an_iris_has_other_exposure_modes(driver):
    driver.set(iris=1)
    with fake(driver) as camera:
        assert camera.set_control("exposure_ms", value=10, automatic=False).value == 10
        assert driver.control(EXPOSURE_AUTO) == 2
        assert camera.set_control("exposure_ms", automatic=True).automatic
        assert driver.control(EXPOSURE_AUTO) == 0


def test_a_value_and_the_lock_are_set_at_once(driver):
    with fake(driver) as camera:
        set_now = camera.set_control("white_balance_k", value=5003, automatic=False)
        assert (set_now.value, set_now.automatic) == (5000, False)
        assert driver.control(WHITE_BALANCE) == 5000
        assert {control.name: control for control in camera.controls()}["white_balance_k"] == set_now


def test_a_value_between_two_steps_is_read_back_as_the_camera_took_it(driver):
    with fake(driver) as camera:
        assert camera.set_control("brightness", value=11.9).value == 8
        assert camera.set_control("brightness", value=-64).value == -64
        assert driver.control(BRIGHTNESS) == -64


def test_a_longer_exposure_makes_a_brighter_picture(driver):
    with fake(driver) as camera:
        camera.set_control("exposure_ms", value=20, automatic=False)
        dark = [camera.read() for _ in range(6)][-1].pixels.mean()
        camera.set_control("exposure_ms", value=200)
        assert [camera.read() for _ in range(6)][-1].pixels.mean() > dark + 50


def test_a_control_that_cannot_be_read_is_left_out_and_said(driver, caplog):
    driver.set(broken_contrast=1)
    with caplog.at_level(logging.WARNING), fake(driver) as camera:
        assert "contrast" not in {control.name for control in camera.controls()}
    assert "Contrast is left out" in caplog.text


def test_the_source_may_lock_exposure_and_white_balance(driver):
    with fake(driver, ",exposure_ms=12,white_balance_k=5000,gain=0") as camera:
        told = {control.name: control for control in camera.controls()}
        assert (told["exposure_ms"].value, told["exposure_ms"].automatic) == (12, False)
        assert (told["white_balance_k"].value, told["white_balance_k"].automatic) == (5000, False)
        assert told["gain"].value == 0
    driver.reset_controls()
    with open_camera(camera.identity) as again:
        assert {control.name: control.value for control in again.controls()}["exposure_ms"] == 12


@pytest.mark.parametrize("option", ["focus=3", "exposure_ms=9999", "sharpness=3"])
def test_a_setting_that_cannot_be_made_leaves_nothing_open(driver, option):
    with pytest.raises(DeviceError, match=r"has no control 'focus'|cannot take exposure_ms|cannot be changed now"):
        fake(driver, f",{option}")
    assert driver.streaming == 0
