"""Drains a camera in a thread of its own and keeps its newest picture."""

from __future__ import annotations

import os
import threading

from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame


class Drain:
    """The thread ends with the source, or with an error.

    Attributes:
        news: a descriptor that is readable once there is something to `take`.
    """

    def __init__(self, camera: Camera) -> None:
        self.news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._camera = camera
        self._lock = threading.Lock()
        self._newest: Frame | BaseException | None = None
        # A daemon: a driver that never returns must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._thread.start()

    def take(self) -> Frame | BaseException | None:
        """The newest picture, once; what the reading ended with, again and again: None where the source has ended.

        Only after `news` was readable.
        """
        with self._lock:
            newest = self._newest
            if isinstance(newest, Frame):
                os.eventfd_read(self.news)
        return newest

    def _run(self) -> None:
        try:
            while (frame := self._camera.read()) is not None:
                self._tell(frame)
            self._tell(None)
        except Exception as error:  # whatever a driver throws is told to the other process
            self._tell(error)

    def _tell(self, newest: Frame | BaseException | None) -> None:
        with self._lock:
            self._newest = newest
            os.eventfd_write(self.news, 1)
