"""A camera that lives in another process: our side of it."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

from hemonode.device.camera.child.channel import Channel, Message
from hemonode.device.camera.child.memory import Pixels, SharedPicture
from hemonode.device.camera.child.process import CameraProcess, died_of
from hemonode.device.camera.contract import Camera, Control
from hemonode.device.camera.source import without_credentials
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

OPENS_WITHIN_S = 18.0
FIRST_WITHIN_S = 15.0
ANSWERS_WITHIN_S = 2.5
ENDING_S = 1.0


class ChildCamera(Camera):
    """Any camera, in a process of its own. One that does not answer in time is an error here, and can be killed."""

    def __init__(self, module: str, source: str, rate_hz: float | None, loop: bool) -> None:
        """Start the process and open the camera in it.

        Args:
            module: that has its `open_camera`.
            source: as for that function.
            rate_hz: as for that function.
            loop: as for that function.

        Raises:
            DeviceError: as that function; or it takes too long, or its process dies.
        """
        self.name = without_credentials(source)
        self._closed = False
        # Held by who uses a channel; `close` waits for them before it releases what they use.
        self._reading, self._asking, self._closing = threading.Lock(), threading.Lock(), threading.Lock()
        self._numbers = itertools.count()
        self._asked = self._seen = False
        self._room: SharedPicture | None = None
        self._process = CameraProcess()
        try:
            opened = self._open({"module": module, "source": source, "rate_hz": rate_hz, "loop": loop})
        except BaseException:
            # One that does not open shall not hold up the next try.
            self._close(grace_s=0.0)
            raise
        self.name = opened["name"]
        self.identity = opened["identity"]
        self.remarks = tuple(opened["remarks"])
        self.patience_s = opened["patience_s"]

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def read(self) -> Frame | None:
        """The newest picture, copied out of what the processes share."""
        with self._reading:
            self._check_open()
            within_s = self.patience_s if self._seen else max(FIRST_WITHIN_S, self.patience_s)
            told, pixels = self._next(time.monotonic() + within_s)
        if pixels is None and "error" not in told and "ended" not in told:
            raise DeviceError(f"{self.name} gave no picture for {within_s:g} s; open it again, or plug it out and in.")
        self.damaged = told["damaged"]
        if "error" in told:
            raise DeviceError(told["error"])
        if pixels is None:
            return None
        self._seen = True
        return Frame(pixels, told["sequence"], told["captured_ns"], told["um_per_px"])

    def controls(self) -> tuple[Control, ...]:
        """The camera's."""
        return self._ask(None, None, None)

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """At the camera."""
        return self._ask(name, value, automatic)[0]

    def close(self) -> None:
        """End the process; killed, where its driver does not let go of the camera within a second."""
        self._close(ENDING_S)
