"""Drains a camera in a thread of its own and keeps its newest picture."""

from __future__ import annotations

import os
import threading

from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame


class Drain:
    """The thread ends with the source, or with an error.

    Attributes:
        news: a descriptor that is readable while there is something to `take`.
    """

    def __init__(self, camera: Camera) -> None:
        self.news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._camera = camera
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._error: BaseException | None = None
        self._reading = True
        # A daemon: a driver that never returns must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._thread.start()

    def take(self) -> Frame | BaseException | None:
        """The newest picture, once; then what the reading ended with, again and again, or None where the source ended.

        Only after `news` was readable.
        """
        with self._lock:
            newest, self._newest = self._newest, None
            if newest is not None and self._reading:
                os.eventfd_read(self.news)
        return self._error if newest is None else newest

    def _run(self) -> None:
        try:
            while (frame := self._camera.read()) is not None:
                with self._lock:
                    self._newest = frame
                    os.eventfd_write(self.news, 1)
        except Exception as error:  # whatever a driver throws is told to the other process
            self._error = error
        with self._lock:
            self._reading = False
            os.eventfd_write(self.news, 1)
