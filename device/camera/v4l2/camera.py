"""A camera that Linux shows as a video device."""

from __future__ import annotations

import select
import time

from hemonode.device.camera.contract import Camera, Control
from hemonode.device.camera.pace import checked_rate_hz
from hemonode.device.camera.preset import preset
from hemonode.device.camera.source import Source, read_source
from hemonode.device.camera.v4l2 import abi
from hemonode.device.camera.v4l2.buffers import Buffers, Taken
from hemonode.device.camera.v4l2.control_table import KNOWN
from hemonode.device.camera.v4l2.controls import Controls
from hemonode.device.camera.v4l2.decode import decode
from hemonode.device.camera.v4l2.handle import Handle
from hemonode.device.camera.v4l2.modes import Wish, agree
from hemonode.device.camera.v4l2.place import Place, find_place
from hemonode.device.frame import Frame
from hemonode.device.host.video import capabilities
from hemonode.errors import DeviceError

SILENT_AFTER_S = 4.0
"""Longer than cameras take for their first picture, and shorter than `Camera.patience_s`: we know more to say."""

CONTROLS = tuple(dict.fromkeys(known.name for known in KNOWN))
OPTIONS = ("serial", "width", "height", "format", "rate", *CONTROLS)


class V4l2Camera(Camera):
    """Frames with the driver's own numbers and stamps; of several that wait, the newest.

    A number that is missing was lost before it reached us, was damaged, or was overtaken by a newer one.
    """

    def __init__(self, place: Place, wish: Wish, options: str = "") -> None:
        """Open the device and start to stream.

        Args:
            place: where the camera is.
            wish: format, size and rate.
            options: what follows the place in the identity, so that it opens the camera in the same way.

        Raises:
            DeviceError: it is not there, not ours, in use, no camera, or gives nothing that we decode.
        """
        self.identity = f"v4l2:{place.lasting}{options}"
        self._handle = Handle(place.device)
        try:
            self.name = self._handle.name = _checked_name(self._handle)
            mode = agree(self._handle, wish)
            self._controls = Controls(self._handle)
            self._buffers = Buffers(self._handle)
        except BaseException:
            self._handle.close()
            raise
        self.remarks = place.remarks + mode.remarks
        self._layout = mode.layout
        self._last = -1
        self._ahead = 0
        self._last_ns = 0

    def read(self) -> Frame:
        """The newest picture that arrived whole."""
        damaged = self.damaged
        until_s = time.monotonic() + SILENT_AFTER_S
        with self._handle.in_use():
            while time.monotonic() < until_s:
                frame = self._decoded(self._newest(self._handle.wait(until_s)))
                if frame is not None:
                    return frame
        raise self._silent(self.damaged - damaged)

    def controls(self) -> tuple[Control, ...]:
        """Those of V4L2 that matter at a microscope, as the camera has them."""
        with self._handle.in_use():
            return self._controls.all()

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """Set a value, or lock or unlock an automatic mode; both at once lock it at the value."""
        with self._handle.in_use():
            return self._controls.set(name, value, automatic)

    def close(self) -> None:
        """Stop the stream and close the device."""
        self._handle.close()

    def _newest(self, events: int) -> Taken | None:
        """What came last of all that waits; None where nothing does, or nothing of use."""
        newest = None
        count = 0
        # No more than there can be: a driver may be as fast as we are.
        while count < self._buffers.count and (taken := self._buffers.take()) is not None:
            count += 1
            if taken.broken:
                self.damaged += 1
            else:
                newest = taken
        if not count and events & ~select.POLLIN:
            raise DeviceError(f"{self.name} stopped to stream; open it again.")
        # Once all its memory is full a driver keeps what is oldest: nobody knows how long ago that was.
        return newest if count < self._buffers.count else None

    def _decoded(self, taken: Taken | None) -> Frame | None:
        if taken is None:
            return None
        pixels = decode(taken.data, self._layout)
        if pixels is None:
            self.damaged += 1
            return None
        self._last_ns = max(self._last_ns, taken.captured_ns)
        return Frame(pixels, self._number(taken.sequence), self._last_ns)

    def _number(self, told: int) -> int:
        """The driver's number, moved on where it does not rise: some always say 0, and all begin again after 2³²."""
        self._ahead += max(0, self._last + 1 - (told + self._ahead))
        self._last = told + self._ahead
        return self._last

    def _silent(self, damaged: int) -> DeviceError:
        if damaged:
            return DeviceError(
                f"{self.name} sent {damaged} damaged pictures in {SILENT_AFTER_S:g} s and no whole one; "
                "try another cable or port, a smaller size or another format."
            )
        return DeviceError(f"{self.name} has sent no picture for {SILENT_AFTER_S:g} s; plug it out and in again.")


def open_camera(source: str, rate_hz: float | None, loop: bool) -> V4l2Camera:  # noqa: ARG001 - a camera has no end
    """Open "v4l2:/dev/v4l/by-id/NAME", "v4l2:serial=NUMBER" or "/dev/video0", with options after commas.

    The options are width, height, format (MJPG, YUYV, …), rate, and the names of controls: "exposure_ms=10" locks it.

    Raises:
        DeviceError: as `V4l2Camera`, or an option is not usable.
    """
    asked = read_source(source if source.startswith("v4l2:") else f"v4l2:{source}", OPTIONS)
    wish = _wish(asked, rate_hz)
    options = "".join(f",{name}={value}" for name, value in asked.options.items() if name != "serial")
    camera = V4l2Camera(find_place(asked), wish, options)
    preset(camera, asked, CONTROLS)
    return camera


def _wish(asked: Source, rate_hz: float | None) -> Wish:
    rate = rate_hz if rate_hz is not None else asked.number("rate")
    pixel_format = asked.options.get("format")
    return Wish(
        asked.whole("width"),
        asked.whole("height"),
        None if pixel_format is None else pixel_format.upper(),
        None if rate is None else checked_rate_hz(rate),
    )


def _checked_name(handle: Handle) -> str:
    """What the camera calls itself.

    Raises:
        DeviceError: the device gives no pictures, or not in a way that we take them.
    """
    told = abi.Capability()
    if not handle.can(abi.QUERYCAP, told, "tell what it is"):
        raise DeviceError(f"{handle.name} is no video device; choose one below /dev/v4l/by-id.")
    able = capabilities(told)
    if not able & abi.CAP_VIDEO_CAPTURE:
        hint = (
            "its pictures come in several planes, which we do not take; use csi:0 for a sensor on a ribbon cable"
            if able & abi.CAP_VIDEO_CAPTURE_MPLANE
            else "it may be the one for the camera's metadata; choose the other, whose name ends with index0"
        )
        raise DeviceError(f"{handle.name} gives no pictures: {hint}.")
    if not able & abi.CAP_STREAMING:
        raise DeviceError(f"{handle.name} cannot stream; use a camera whose driver can.")
    name = bytes(told.card).split(b"\0", 1)[0].decode("utf-8", "replace").strip()
    first, colon, second = name.partition(": ")
    # USB cameras often tell their name twice.
    return (first if colon and first == second else name) or handle.name
