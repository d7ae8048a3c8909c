"""Finds the video device that a source names, and the name by which it is found again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hemonode.device.camera.source import Source
from hemonode.device.host.video import VideoDevice, find_video_devices
from hemonode.errors import DeviceError


@dataclass(frozen=True)
class Place:
    """Where a camera is now.

    Attributes:
        device: to open.
        lasting: after "v4l2:", what finds it again.
        remarks: where nothing lasting does.
    """

    device: Path
    lasting: str
    remarks: tuple[str, ...] = ()


def find_place(source: Source, root: Path = Path("/")) -> Place:
    """The camera's place.

    Raises:
        DeviceError: it is not plugged in, or more than one may be meant.
    """
    serial = source.options.get("serial")
    if serial is not None and source.place:
        raise DeviceError(f"{source.place} and serial={serial} both name a camera; give one of them.")
    if serial is not None:
        return Place(_with_serial(serial, root).path, f"serial={serial}")
    if not source.place.startswith("/"):
        raise DeviceError(
            f"'v4l2:{source.place}' names no camera; give a path or serial=NUMBER, since a number alone may be another "
            f"one tomorrow: {_plugged_in(root)}"
        )
    path = Path(source.place)
    if not path.exists():
        raise DeviceError(f"There is no camera {path}; plug it in, or choose another: {_plugged_in(root)}")
    if path.is_symlink():
        return Place(path, str(path))
    return _by_number(path, root)


def _by_number(path: Path, root: Path) -> Place:
    device = next((device for device in find_video_devices(root) if device.path == path), None)
    if device is None or device.lasting == path:
        remark = f"{path} has no name that lasts: plugged in again, it may be found as another number, or not at all."
        return Place(path, str(path), (remark,))
    return Place(path, str(device.lasting))


def _with_serial(serial: str, root: Path) -> VideoDevice:
    found = [device for device in find_video_devices(root) if device.serial == serial and device.captures is not False]
    if not found:
        raise DeviceError(f"There is no camera with the serial number {serial}; plug it in: {_plugged_in(root)}")
    # One camera may show several devices that give pictures; its first is the usual one.
    first = [device for device in found if device.index == 0]
    if len(first) > 1:
        raise DeviceError(
            f"{len(first)} cameras have the serial number {serial}; name the one by where it is plugged in: "
            f"{_listed(first)}."
        )
    return (first or found)[0]


def _plugged_in(root: Path) -> str:
    there = [device for device in find_video_devices(root) if device.captures is not False]
    return f"plugged in now: {_listed(there)}." if there else "no camera is plugged in now."


def _listed(devices: list[VideoDevice]) -> str:
    return ", ".join(f"v4l2:{device.by_path or device.lasting} ({device.name})" for device in devices)
