"""The thread that always drains the camera, and opens it again when it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.status import CameraState

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
SILENT_AFTER_S = 5.0


@dataclass(frozen=True)
class CaptureStatus:
    """What the camera does now, and what it did so far.

    `missed` counts gaps in the camera's own numbering: pictures that were lost before they reached us.
    """

    state: CameraState
    name: str
    captured: int
    missed: int
    reopened: int


class Capture:
    """Reads a camera on its own thread into a mailbox; the latest frame wins.

    Args:
        camera: open; it belongs to this object from now on.
        reopen: opens the same camera again after a failure; raises like the camera's constructor.
        frames: where the frames go.
        faults: where failures are told.
    """

    def __init__(self, camera: Camera, reopen: Callable[[], Camera], frames: Mailbox[Frame], faults: FaultLog) -> None:
        self._camera: Camera | None = camera
        self._name = camera.name
        self._reopen = reopen
        self._frames = frames
        self._faults = faults
        self._state: CameraState = "running"
        self._captured = 0
        self._missed = 0
        self._reopened = 0
        self._last_frame_s = time.monotonic()
        self._pause_s = FIRST_PAUSE_S
        self._stopping = threading.Event()
        # A daemon: a driver that never returns from a read must not keep the program alive.
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to drain the camera."""
        self._thread.start()

    def request_stop(self) -> None:
        """Stop after the frame that is being read, and close the camera."""
        self._stopping.set()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: the camera does not answer and is left behind."""
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        return not self._thread.is_alive()

    def status(self) -> CaptureStatus:
        """The state of this moment."""
        silent = self._state == "running" and time.monotonic() - self._last_frame_s > SILENT_AFTER_S
        state: CameraState = "silent" if silent else self._state
        return CaptureStatus(state, self._name, self._captured, self._missed, self._reopened)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                camera = self._camera or self._open_again()
                if camera is None:
                    return
                self._camera = None
                with camera:
                    ended = self._drain(camera)
                if ended:
                    self._state = "ended"
                    return
        finally:
            if self._camera is not None:
                self._camera.close()

    def _drain(self, camera: Camera) -> bool:
        """Read until the source ends (True), fails or we are stopped (False)."""
        expected: int | None = None
        while not self._stopping.is_set():
            try:
                frame = camera.read()
            except Exception as error:  # whatever a driver throws, the page says it and the camera is reopened
                self._faults.report("camera", error)
                self._state = "reopening"
                return False
            if frame is None:
                return True
            if expected is not None:
                self._missed += max(0, frame.sequence - expected)
            expected = frame.sequence + 1
            self._captured += 1
            self._last_frame_s = time.monotonic()
            self._pause_s = FIRST_PAUSE_S
            self._frames.put(frame)
        return False

    def _open_again(self) -> Camera | None:
        """Try until the camera opens, with pauses that double until a frame comes. None: stopped meanwhile."""
        while not self._stopping.wait(self._pause_s):
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            try:
                camera = self._reopen()
            except Exception as error:  # as in `_drain`
                self._faults.report("camera", error)
                continue
            self._reopened += 1
            self._last_frame_s = time.monotonic()
            self._state = "running"
            return camera
        return None
