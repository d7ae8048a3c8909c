"""The simulated microscope behind a cable that is pulled, a driver that stalls, and a link that loses halves."""

from __future__ import annotations

import itertools
import threading

from hemonode.benchmarks.chaos.switches import SWITCHES
from hemonode.device.camera.contract import Camera, Control
from hemonode.device.camera.simulated import SimulatedCamera
from hemonode.device.camera.simulated import open_camera as open_simulated
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

_openings = itertools.count(1)


class ChaoticCamera(Camera):
    """Another device number at each opening, as after a new plugging-in; the same identity."""

    def __init__(self, inner: SimulatedCamera, source: str) -> None:
        self.name = f"chaotic microscope, device {next(_openings)}"
        self.identity = source
        self._inner = inner
        self._closed = threading.Event()

    def read(self) -> Frame | None:
        """The next picture, unless a fault strikes."""
        while True:
            if SWITCHES["camera_gone"].strikes():
                raise DeviceError("The camera was unplugged.")
            if SWITCHES["camera_hangs"].strikes():
                # Not even closing ends this one, as with a wedged driver.
                threading.Event().wait(3600)
            while SWITCHES["camera_stalls"].strikes():
                if self._closed.wait(0.05):
                    raise DeviceError("The camera was closed while it was read.")
            frame = self._inner.read()
            if not SWITCHES["camera_half_frames"].strikes():
                return frame
            self.damaged += 1

    def controls(self) -> tuple[Control, ...]:
        """The simulated microscope's."""
        return self._inner.controls()

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """The simulated microscope's."""
        return self._inner.set_control(name, value=value, automatic=automatic)

    def close(self) -> None:
        """Unplug it for good."""
        self._closed.set()
        self._inner.close()


def open_camera(source: str, rate_hz: float | None, loop: bool) -> ChaoticCamera:
    """Open "chaotic:options" with the options of the simulated microscope.

    Raises:
        DeviceError: it is unplugged now, or an option is not usable.
    """
    if SWITCHES["camera_gone"].strikes():
        raise DeviceError("There is no such camera; plug it in.")
    return ChaoticCamera(open_simulated("simulated:" + source.partition(":")[2], rate_hz, loop), source)
