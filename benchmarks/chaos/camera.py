"""The simulated microscope in a process of its own, behind a cable that is pulled, a driver that stalls, a bad link."""

from __future__ import annotations

import itertools
import threading
import time

from hemonode.benchmarks.chaos.switches import HANG_S, SWITCHES
from hemonode.device.camera.child.camera import ChildCamera
from hemonode.device.camera.contract import Camera, Control
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

_openings = itertools.count(1)


class ChaoticCamera(Camera):
    """Another device number at each opening, as after a new plugging-in; the same identity."""

    def __init__(self, inner: Camera, source: str) -> None:
        self.name = f"chaotic microscope, device {next(_openings)}"
        self.identity = source
        self.patience_s = inner.patience_s
        self._inner = inner
        self._closed = threading.Event()

    def read(self) -> Frame | None:
        """The next picture, unless a fault strikes."""
        while True:
            if SWITCHES["camera_gone"].strikes():
                raise DeviceError("The camera was unplugged.")
            if SWITCHES["camera_hangs"].strikes():
                # Not even closing ends this one, as with a wedged driver; an hour's soak would drown in such threads.
                time.sleep(HANG_S)
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
    simulated = "simulated:" + source.partition(":")[2]
    return ChaoticCamera(ChildCamera("hemonode.device.camera.simulated", simulated, rate_hz, loop), source)
