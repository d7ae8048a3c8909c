"""Watches one source: what goes wrong with its camera is told, and the camera is opened again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError
from hemonode.runtime.live.capture_controls import Asking, Wishes
from hemonode.runtime.live.capture_counts import CaptureCounts
from hemonode.runtime.live.capture_reader import OPENS_WITHIN_S, Reader
from hemonode.runtime.live.capture_restarts import LONGEST_PAUSE_S, MOST_A_MINUTE, Restarts
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.status import CameraState

CLOSES_WITHIN_S = 1.5
"""A driver that needs longer is left behind with its threads. A process that hangs is killed after one second; a stop
in all may take two."""

MOST_LEFT_BEHIND = 3
"""With so many, the camera is not opened again until one of them returns."""

Reopen = Callable[[str], Camera]


class CameraWatch:
    """One source, from the camera that was given until it is let go.

    Each opening is read in a thread of its own (`Reader`); this object's own thread waits for an error, for the end,
    or for more silence than the camera's `patience_s`.

    Attributes:
        name: of the camera.
    """

    def __init__(
        self,
        camera: Camera,
        reopen: Reopen,
        frames: Mailbox[Frame],
        counts: CaptureCounts,
        log: EventLog,
        faults: FaultLog,
    ) -> None:
        self.name = camera.name
        self._identity = camera.identity
        self._camera: Camera | None = camera
        self._reopen = reopen
        self._frames, self._counts, self._log, self._faults = frames, counts, log, faults
        self._wishes = Wishes()
        self._restarts = Restarts()
        self._asking: Asking | None = None
        self._reader: Reader | None = None
        self._left_behind: list[Reader] = []
        self._remarks: tuple[str, ...] = ()
        self._ended = False
        self._lost_s: float | None = None
        self._tries = 0
        # Held while a reader begins: none does after `let_go`.
        self._beginning = threading.Lock()
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture-watch", daemon=True)

    def start(self) -> None:
        """Begin to drain the camera."""
        self._thread.start()

    def let_go(self) -> None:
        """Close the camera; no picture comes after this has returned."""
        with self._beginning:
            self._stopping.set()
            reader, unread = self._reader, self._camera
            self._camera = None
        self._news.set()
        if reader is not None:
            reader.let_go()
        if unread is not None:
            unread.close()

    def join(self, deadline_s: float) -> bool:
        """Wait for the end until a monotonic time. False: a driver has not returned and is left behind."""
        return join_until(self._thread, deadline_s) and not self._still_left_behind()

    @property
    def state(self) -> CameraState:
        """Of this moment; "silent" before a stall is dealt with."""
        if self._ended:
            return "ended"
        if self._lost_s is not None:
            return "reopening"
        reader = self._reader
        return "silent" if reader is not None and reader.quiet_s > reader.patience_s / 2 else "running"

    @property
    def asking(self) -> Asking:
        """For its controls.

        Raises:
            DeviceError: it is away.
        """
        if self._asking is None:
            raise DeviceError(f"{self.name} is away; its settings can be changed once it is back.")
        return self._asking

    @property
    def wishes(self) -> Wishes:
        """What is set again whenever the camera was opened anew."""
        return self._wishes

    def opened(self, camera: Camera) -> None:
        """See `capture_reader.Listener`."""
        self.name, self._identity = camera.name, camera.identity
        self._asking = Asking(camera)
        if self._lost_s is not None:
            self._counts.reopened += 1
            self._restarts.opened(time.monotonic())
            for refused in self._wishes.carry_out(camera):
                self._log.add("camera", refused)
        if camera.remarks != self._remarks:
            self._remarks = camera.remarks
            for remark in camera.remarks:
                self._log.add("camera", remark)

    def captured(self, frame: Frame, damaged: int) -> None:
        """See `capture_reader.Listener`."""
        self._counts.add(frame, damaged)
        self._frames.put(frame)

    def news(self) -> None:
        """See `capture_reader.Listener`."""
        self._news.set()

    def _run(self) -> None:
        while (reader := self._begin()) is not None:
            self._wait_for_end(reader)
            self._asking = None
            self._ended = reader.ended
            lost = not reader.ended and not self._stopping.is_set()
            if lost:
                self._note_loss(reader)
            self._close(reader)
            if not lost:
                return
            self._pause()

    def _begin(self) -> Reader | None:
        with self._beginning:
            if self._stopping.is_set():
                return None
            camera, self._camera = self._camera, None
            self._reader = Reader(partial(self._reopen, self._identity) if camera is None else lambda: camera, self)
            self._counts.opening(self._reader.count_damaged)
            self._reader.start()
            return self._reader

    def _wait_for_end(self, reader: Reader) -> None:
        """Until it ends, fails, stalls or is let go."""
        while True:
            self._news.clear()
            if self._stopping.is_set():
                return
            if reader.pictures and self._lost_s is not None:
                self._note_return(self._lost_s)
            left_s = reader.patience_s - reader.quiet_s
            if reader.ended or reader.error is not None or left_s <= 0:
                return
            self._news.wait(left_s)

    def _close(self, reader: Reader) -> None:
        reader.let_go()
        if not reader.join(time.monotonic() + CLOSES_WITHIN_S):
            self._left_behind.append(reader)
            self._log.add("camera", f"The driver of {self.name} does not return and is left behind.")

    def _note_loss(self, reader: Reader) -> None:
        error = reader.error or DeviceError(self._stall(reader))
        self._faults.report("camera", error)
        if reader.camera is not None and reader.stalled:
            self._counts.stalls += 1
        self._tries += 1
        if self._lost_s is None:
            self._lost_s = time.monotonic() - (reader.quiet_s if reader.stalled else 0.0)
            self._tries = 0
            self._log.add("camera", f"The camera was lost: {error}", pictures=reader.pictures, stalled=reader.stalled)

    def _note_return(self, lost_s: float) -> None:
        away_s = time.monotonic() - lost_s
        self._lost_s = None
        self._restarts.delivered()
        self._log.add(
            "camera", f"{self.name} is back after {away_s:.1f} s.", seconds=round(away_s, 2), failed=self._tries
        )

    def _stall(self, reader: Reader) -> str:
        if reader.camera is None:
            return f"{self.name} could not be opened within {OPENS_WITHIN_S:g} s; plug it out and in again."
        return f"{self.name} has given no picture for {reader.quiet_s:.0f} s; it is opened again."

    def _pause(self) -> None:
        """Wait until the next try is due and its driver has threads to spare."""
        pause_s = self._restarts.pause_s(time.monotonic())
        if pause_s > LONGEST_PAUSE_S:
            often = f"{self.name} was opened {MOST_A_MINUTE} times within a minute"
            self._log.add("camera", f"{often}; the next try follows in {pause_s:.0f} s.")
        while not self._stopping.wait(pause_s) and len(self._still_left_behind()) >= MOST_LEFT_BEHIND:
            self._faults.report(
                "camera",
                DeviceError(
                    f"The driver of {self.name} has not returned {MOST_LEFT_BEHIND} times; plug the camera out, or "
                    "start hemonode again."
                ),
            )
            pause_s = LONGEST_PAUSE_S

    def _still_left_behind(self) -> list[Reader]:
        self._left_behind = [reader for reader in self._left_behind if reader.alive]
        return self._left_behind
