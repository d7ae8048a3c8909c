"""A camera for a process of its own, whose driver breaks as its source says: "standin:hangs", "standin:poor", …"""

from __future__ import annotations

import itertools
import resource
import time
from pathlib import Path

import numpy as np

from hemonode.device.camera.contract import Camera, Control
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError


class StandinCamera(Camera):
    """100 pictures of 64×48 px a second. While the file `flag` is there, `fault` strikes."""

    patience_s = 1.0

    def __init__(self, fault, flag):
        self.name, self.identity = "stand-in", f"standin:{fault}:{flag}"
        self._fault, self._flag = fault, Path(flag)
        self._numbers = itertools.count()
        self._exposure_ms = 10.0

    def read(self):
        time.sleep(0.01)
        if self._flag.exists():
            if self._fault == "gone":
                raise DeviceError("It was unplugged.")
            while self._fault == "hangs":
                time.sleep(3600)
        return Frame(np.full((48, 64, 3), self._exposure_ms, np.uint8), next(self._numbers), time.monotonic_ns())

    def controls(self):
        return (Control("exposure_ms", "Exposure", "ms", self._exposure_ms, 1.0, 100.0, 1.0),)

    def set_control(self, name, *, value=None, automatic=None):  # noqa: ARG002
        self._exposure_ms = value
        return self.controls()[0]

    def close(self):
        # A driver that hangs lets nobody close it either.
        while self._fault == "hangs" and self._flag.exists():
            time.sleep(3600)


def open_camera(source, rate_hz, loop):
    _, fault, flag = source.split(":", 2)
    if fault == "gone" and Path(flag).exists():
        raise DeviceError("There is no such camera; plug it in.")
    if fault == "poor":
        # Memory for pictures is a file without a name, so that this limits it as a full machine does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return StandinCamera(fault, flag)
