"""An open video device: asked by ioctl, waited for with a deadline, and closed from any thread."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hemonode.errors import DeviceError

CLOSING_S = 1.0
"""How long closing waits for other threads. A driver that never answers must not hold it up."""

# End of a list, or nothing that this driver knows.
_NOT_SUPPORTED = {errno.EINVAL, errno.ENOTTY}


class Handle:
    """A file descriptor that is closed once nobody uses it any more.

    Attributes:
        name: of the camera, for sentences.
        fileno: the descriptor, for those who are within `in_use`.
    """

    def __init__(self, path: Path) -> None:
        """Open the device.

        Raises:
            DeviceError: it is not there, or not ours to open.
        """
        self.name = f"The camera {path}"
        self._owned = ExitStack()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._owned.callback(os.close, self._wake)
        try:
            self.fileno = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self._owned.close()
            raise self.fault(error, "be opened") from error
        self._owned.callback(os.close, self.fileno)
        self._users = 0
        self._closing = False
        self._left = threading.Condition()

    def release_before(self, release: Callable[[], None]) -> None:
        """Have something released when the device is closed, before all that was handed in earlier."""
        self._owned.callback(release)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the device open meanwhile.

        Raises:
            DeviceError: it was closed.
        """
        with self._left:
            self.check_open()
            self._users += 1
        try:
            yield
        finally:
            with self._left:
                self._users -= 1
                self._release_if_left()

    def close(self) -> None:
        """Wake those who wait and close the device: at once, or when the last of them leaves."""
        with self._left:
            if not self._closing:
                self._closing = True
                os.eventfd_write(self._wake, 1)
                self._release_if_left()
            self._left.wait_for(lambda: not self._users, CLOSING_S)

    def ask(self, request: int, argument: ctypes.Structure | ctypes.c_int, doing: str) -> None:
        """One ioctl; the driver's answer is in `argument` then.

        Args:
            request: a number of `abi`.
            argument: its structure.
            doing: ends the sentence "The camera cannot …".

        Raises:
            DeviceError: the driver refuses, or the device is gone.
        """
        try:
            fcntl.ioctl(self.fileno, request, argument)
        except OSError as error:
            raise self.fault(error, doing) from error

    def can(self, request: int, argument: ctypes.Structure, doing: str) -> bool:
        """As `ask`, for what a driver need not know: False where it does not, and at the end of a list."""
        try:
            fcntl.ioctl(self.fileno, request, argument)
        except OSError as error:
            if error.errno in _NOT_SUPPORTED:
                return False
            raise self.fault(error, doing) from error
        return True

    def wait(self, until_s: float) -> int:
        """Wait until the driver has a picture or a fault, or until a monotonic time.

        Returns:
            Flags of `select.poll`; 0: nothing until then.

        Raises:
            DeviceError: closed meanwhile.
        """
        waiting = select.poll()
        waiting.register(self.fileno, select.POLLIN)
        waiting.register(self._wake, select.POLLIN)
        found = dict(waiting.poll(max(0, math.ceil(1000 * (until_s - time.monotonic())))))
        self.check_open()
        return found.get(self.fileno, 0)

    def fault(self, error: OSError, doing: str) -> DeviceError:
        """The sentence for what the kernel answered."""
        if error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOENT):
            return DeviceError(f"{self.name} is not there, or was unplugged; plug it in again.")
        if error.errno == errno.EBUSY:
            return DeviceError(f"{self.name} is in use by another program; close that one.")
        if error.errno in (errno.EACCES, errno.EPERM):
            return DeviceError(
                f"{self.name} cannot {doing}: it is not yours to open; run: "
                'sudo usermod -aG video "$USER"; then log out and in again.'
            )
        if error.errno == errno.ENOSPC:
            return DeviceError(
                f"{self.name} cannot {doing}: too little of its USB is left beside other devices; "
                "plug it into another port, or ask for a smaller size or format=MJPG."
            )
        return DeviceError(f"{self.name} cannot {doing} ({error.strerror}); plug it out and in again.")

    def check_open(self) -> None:
        """Stop what a closed device was asked for.

        Raises:
            DeviceError: it was closed.
        """
        if self._closing:
            raise DeviceError(f"{self.name} was closed; open it again to read from it.")

    def _release_if_left(self) -> None:
        if self._closing and not self._users:
            self._owned.close()
            self._left.notify_all()
