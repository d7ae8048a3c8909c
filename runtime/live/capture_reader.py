"""One camera from its opening to its end, in a thread that can be left behind where a driver never returns."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from hemonode.device.camera.contract import PATIENCE_S, Camera
from hemonode.device.frame import Frame

OPENS_WITHIN_S = 30.0
FIRST_WITHIN_S = 15.0
"""Sensors that settle, streams that wait for a whole picture: the first one may take longer."""

logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told what a reader does, in the reader's thread."""

    def opened(self, camera: Camera) -> None:
        """Before the first picture is asked for."""

    def captured(self, frame: Frame, damaged: int) -> None:
        """A picture; `damaged`: pictures of this opening that arrived incomplete so far."""

    def news(self) -> None:
        """It gave its first picture, ended or failed: see the attributes."""


class Reader:
    """Opens a camera and drains it until it ends, fails or is let go.

    Attributes:
        camera: once it is open.
        pictures: that it gave.
        ended: whether the source has ended.
        error: what the opening or the reading failed with.
    """

    def __init__(self, open_camera: Callable[[], Camera], listener: Listener) -> None:
        """Made ready.

        Args:
            open_camera: may take as long as it likes, and raise whatever it likes.
            listener: hears nothing any more once this was let go.
        """
        self.camera: Camera | None = None
        self.pictures = 0
        self.ended = False
        self.error: Exception | None = None
        self._open_camera = open_camera
        self._listener = listener
        self._since_s = time.monotonic()
        self._gone = False
        # Held while a picture is handed over: none comes after `let_go` has returned.
        self._handing = threading.Lock()
        self._closer: threading.Thread | None = None
        # A daemon: a driver that never returns must not keep the program alive.
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def quiet_s(self) -> float:
        """Since the latest picture, or since the camera was opened, or since its opening began."""
        return time.monotonic() - self._since_s

    @property
    def patience_s(self) -> float:
        """How long it may be quiet now before it counts as stalled."""
        camera = self.camera
        if camera is None:
            return OPENS_WITHIN_S
        return camera.patience_s if self.pictures else max(FIRST_WITHIN_S, camera.patience_s)

    @property
    def stalled(self) -> bool:
        """Whether it was quiet for too long, also where the camera itself lost its patience at about that time."""
        if self.error is None:
            return self.quiet_s >= self.patience_s
        camera = self.camera
        return self.quiet_s >= 0.9 * (PATIENCE_S if camera is None else camera.patience_s)

    @property
    def alive(self) -> bool:
        """Whether the driver still has one of the threads."""
        return self._thread.is_alive() or (self._closer is not None and self._closer.is_alive())

    def count_damaged(self) -> int:
        """Pictures that arrived incomplete so far."""
        return 0 if self.camera is None else self.camera.damaged

    def let_go(self) -> None:
        """Close the camera, in a thread of its own, and tell no more of it. Again does nothing."""
        with self._handing:
            if self._gone:
                return
            self._gone = True
            if self.camera is not None:
                closer = threading.Thread(target=self._close, args=(self.camera,), name="capture-close", daemon=True)
                closer.start()
                self._closer = closer

    def join(self, deadline_s: float) -> bool:
        """Wait for the end of reading and closing until a monotonic time. False: the driver has not returned."""
        for thread in (self._thread, self._closer):
            if thread is not None:
                thread.join(max(0.0, deadline_s - time.monotonic()))
        return not self.alive

    def _run(self) -> None:
        try:
            camera = self._open_camera()
            if not self._keep(camera):
                camera.close()
                return
            self._listener.opened(camera)
            while self._hand(camera.read(), camera):
                pass
        except Exception as error:  # whatever a driver throws: the view tells it and opens the camera again
            self._fail(error)
        self._listener.news()

    def _fail(self, error: Exception) -> None:
        with self._handing:
            # That a closed camera cannot be read is no news.
            if not self._gone:
                self.error = error

    def _keep(self, camera: Camera) -> bool:
        with self._handing:
            if not self._gone:
                self._since_s = time.monotonic()
                self.camera = camera
            return not self._gone

    def _hand(self, frame: Frame | None, camera: Camera) -> bool:
        """Whether there is more to read."""
        with self._handing:
            if self._gone:
                return False
            if frame is None:
                self.ended = True
                return False
            self._since_s = time.monotonic()
            self.pictures += 1
            self._listener.captured(frame, camera.damaged)
        if self.pictures == 1:
            self._listener.news()
        return True

    def _close(self, camera: Camera) -> None:
        try:
            camera.close()
        except Exception:  # as in `_run`
            logger.warning("%s failed while it was closed.", camera.name, exc_info=True)
