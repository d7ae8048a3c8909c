"""Cameras are found again by what stays: by-id, serial number, or where they are plugged in; never by their number."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemonode.device.camera.find import FoundCamera, find_cameras
from hemonode.device.camera.source import read_source
from hemonode.device.camera.v4l2.place import Place, find_place
from hemonode.errors import DeviceError

pytestmark = pytest.mark.fake_v4l2

BY_ID = "usb-Maker_Camera_A1-video-index0"
BY_PATH = "platform-3610000.usb-usb-0:2:1.0-video-index0"


def place(driver, text):
    return find_place(read_source(text, ("serial",)), driver.root)


def test_a_number_becomes_the_name_that_stays(driver):
    device = driver.plug_in(0, by_id=BY_ID, by_path=BY_PATH)
    assert place(driver, f"v4l2:{device}") == Place(device, str(driver.root / "dev/v4l/by-id" / BY_ID))


def test_a_name_that_stays_is_kept_as_it_is(driver):
    driver.plug_in(0, by_id=BY_ID)
    link = driver.root / "dev/v4l/by-id" / BY_ID
    assert place(driver, f"v4l2:{link}") == Place(link, str(link))


def test_a_camera_without_a_serial_number_is_known_by_its_port(driver):
    device = driver.plug_in(0, by_path=BY_PATH)
    assert place(driver, f"v4l2:{device}").lasting == str(driver.root / "dev/v4l/by-path" / BY_PATH)


def test_a_camera_with_neither_says_that_its_number_may_change(driver):
    found = place(driver, f"v4l2:{driver.root}/dev/video0")
    assert found.lasting == f"{driver.root}/dev/video0"
    assert "has no name that lasts" in found.remarks[0]


def test_a_serial_number_finds_the_camera_and_not_its_metadata(driver):
    driver.plug_in(1, serial="A1")
    device = driver.plug_in(0, serial="A1")
    other = driver.plug_in(4, serial="B,2")
    assert place(driver, "v4l2:serial=A1") == Place(device, "serial=A1")
    driver.plug_in(4, serial="B2")
    assert place(driver, "v4l2:serial=B2").device == other


def test_a_serial_number_that_is_not_there_lists_what_is(driver):
    driver.plug_in(0, by_id=BY_ID)
    with pytest.raises(DeviceError, match=rf"no camera with the serial number X; plug it in: .*{BY_ID}"):
        place(driver, "v4l2:serial=X")


def test_two_cameras_of_one_serial_number_are_told_apart_by_their_ports(driver):
    driver.plug_in(0, serial="200901010001", by_path=BY_PATH)
    driver.plug_in(4, serial="200901010001", by_path="pci-4")
    with pytest.raises(DeviceError, match=rf"2 cameras have the serial number.*by-path/{BY_PATH} .*by-path/pci-4 "):
        place(driver, "v4l2:serial=200901010001")


def test_what_is_plugged_in_is_listed_once_each_by_a_lasting_source(driver):
    driver.plug_in(0, name="HD Camera", by_id=BY_ID)
    driver.plug_in(1, name="HD Camera", by_id=BY_ID.replace("index0", "index1"))
    driver.plug_in(2, name="vi-output, imx219 9-0010")
    driver.plug_in(4, name="HD Camera", serial="B2")
    (driver.root / "dev/video3").unlink()
    assert find_cameras(driver.root) == (
        FoundCamera(f"v4l2:{driver.root}/dev/v4l/by-id/{BY_ID}", "HD Camera (video0)", "v4l2"),
        FoundCamera("csi:0", "imx219 9-0010", "csi"),
        FoundCamera(f"v4l2:{driver.root}/dev/video4", "HD Camera (B2)", "v4l2"),
    )


def test_a_machine_without_cameras_lists_none(driver, tmp_path: Path):
    assert find_cameras(tmp_path) == ()
