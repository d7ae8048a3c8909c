"""The camera of a live view: always drained, the latest picture wins, kept running, and changed on demand."""

from __future__ import annotations

import threading

from hemonode.device.camera.contract import Camera, Control
from hemonode.device.frame import Frame
from hemonode.runtime.live.capture_counts import CaptureCounts
from hemonode.runtime.live.capture_watch import CameraWatch, Reopen
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.status import SourceStatus


class Capture:
    """Reads a camera into a mailbox, whatever the camera does.

    Args:
        camera: open; it belongs to this object from now on.
        reopen: opens the camera that has an identity (`Camera.identity`), wherever it is plugged in now; raises like
            `open_camera`, and may hang.
        frames: where the pictures go.
        log: is told of each loss and return, kind "camera".
        faults: where failures are told, origin "camera".
        source_id: among the choices.
        kind: a key of `hemonode.device.camera.CAMERAS`.
    """

    def __init__(
        self,
        camera: Camera,
        reopen: Reopen,
        frames: Mailbox[Frame],
        log: EventLog,
        faults: FaultLog,
        source_id: str,
        kind: str,
    ) -> None:
        self._frames, self._log, self._faults = frames, log, faults
        self._counts = CaptureCounts()
        self._changing = threading.Lock()
        self._stopping = False
        self._id, self._kind = source_id, kind
        self._watch = self._watch_over(camera, reopen)
        self._let_go: list[CameraWatch] = []

    def start(self) -> None:
        """Begin to drain the camera."""
        self._watch.start()

    def request_stop(self) -> None:
        """Let no more pictures through, and close the camera."""
        with self._changing:
            self._stopping = True
        self._watch.let_go()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: a driver does not answer and is left behind."""
        # All of them, also where the first does not end.
        ended = [watch.join(deadline_s) for watch in (*self._let_go, self._watch)]
        return all(ended)

    def change_source(self, camera: Camera, reopen: Reopen, source_id: str, kind: str) -> None:
        """Go on with another camera, which is open; no picture of the old one comes after this has returned."""
        with self._changing:
            if self._stopping:
                camera.close()
                return
            old = self._watch
            old.let_go()
            self._frames.clear()
            self._let_go = [watch for watch in self._let_go if not watch.join(0.0)] + [old]
            self._counts.another_source()
            self._id, self._kind = source_id, kind
            self._watch = self._watch_over(camera, reopen)
            self._watch.start()

    def controls(self) -> tuple[Control, ...]:
        """The camera's.

        Raises:
            DeviceError: it is away, or does not answer.
        """
        return self._watch.asking.controls()

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """At the camera, and again whenever it was opened anew.

        Raises:
            DeviceError: it is away, does not answer or refuses.
        """
        watch = self._watch
        control = watch.asking.set_control(name, value, automatic)
        watch.wishes.note(control)
        return control

    def status(self) -> SourceStatus:
        """The state of this moment. Counts are sums since the start, over all sources."""
        watch = self._watch
        return self._counts.status(self._id, watch.name, self._kind, watch.state)

    def _watch_over(self, camera: Camera, reopen: Reopen) -> CameraWatch:
        return CameraWatch(camera, reopen, self._frames, self._counts, self._log, self._faults)
