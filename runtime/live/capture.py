"""The thread that always drains the camera, and opens it again when it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hemonode.device.camera.contract import Camera, Control
from hemonode.device.frame import Frame
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog, RateMeter
from hemonode.runtime.live.status import CameraState, SourceStatus

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
SILENT_AFTER_S = 5.0


class Capture:
    """Reads a camera on its own thread into a mailbox; the latest frame wins.

    Args:
        camera: open; it belongs to this object from now on.
        reopen: opens the same camera again after a failure; raises like the camera's constructor.
        frames: where the frames go.
        faults: where failures are told.
    """

    def __init__(
        self,
        camera: Camera,
        reopen: Callable[[], Camera],
        frames: Mailbox[Frame],
        log: EventLog,
        faults: FaultLog,
        source_id: str,
        kind: str,
    ) -> None:
        self._log, self._id, self._kind = log, source_id, kind
        self._rate = RateMeter()
        self._size: tuple[int, int] | None = None
        self._open_camera = camera
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

    def controls(self) -> tuple[Control, ...]:
        """The camera's."""
        return self._open_camera.controls()

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """At the camera."""
        return self._open_camera.set_control(name, value=value, automatic=automatic)

    def status(self) -> SourceStatus:
        """The state of this moment."""
        age_s = time.monotonic() - self._last_frame_s
        silent = self._state == "running" and age_s > SILENT_AFTER_S
        height, width = self._size or (None, None)
        return SourceStatus(
            id=self._id,
            name=self._name,
            kind=self._kind,
            state="silent" if silent else self._state,
            width=width,
            height=height,
            rate_hz=round(self._rate.rate_hz(), 2),
            age_s=round(age_s, 2),
            captured=self._captured,
            missed=self._missed,
            damaged=0,
            stalls=0,
            reopened=self._reopened,
        )

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
            self._rate.tick()
            self._size = (frame.pixels.shape[0], frame.pixels.shape[1])
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
