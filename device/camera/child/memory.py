"""One picture in memory that two processes share. It has no name, so that nothing of it outlives them.

It does not lie in /dev/shm, which containers keep small, and is taken from the machine before it is used: where memory
is short, that is an error here and no fatal signal at the first write.
"""

from __future__ import annotations

import fcntl
import mmap
import os

import numpy as np
import numpy.typing as npt

from hemonode.errors import DeviceError

Pixels = npt.NDArray[np.uint8]


class SharedPicture:
    """Room for a picture. Who may touch it is agreed by messages: never both processes at a time."""

    def __init__(self, descriptor: int, writeable: bool) -> None:
        """Map what a descriptor stands for, and take the descriptor over.

        Raises:
            DeviceError: it cannot be mapped.
        """
        self.descriptor = descriptor
        self.size_bytes = os.fstat(descriptor).st_size
        rights = mmap.PROT_READ | (mmap.PROT_WRITE if writeable else 0)
        try:
            self._map = mmap.mmap(descriptor, self.size_bytes, prot=rights)
        except (OSError, ValueError) as error:
            os.close(descriptor)
            raise _too_little(self.size_bytes, str(error)) from error

    def put(self, pixels: Pixels) -> None:
        """Write a picture, uint8, that fits."""
        np.copyto(np.frombuffer(self._map, np.uint8, pixels.size).reshape(pixels.shape), pixels)

    def get(self, height: int, width: int) -> Pixels:
        """A copy, uint8 [height, width, 3], of what was put there."""
        shape = (height, width, 3)
        return np.frombuffer(self._map, np.uint8, height * width * 3).reshape(shape).copy()

    def close(self) -> None:
        """Give the memory back, once the other process has, too."""
        self._map.close()
        os.close(self.descriptor)


def new_picture(size_bytes: int) -> SharedPicture:
    """Room of a fixed size.

    Raises:
        DeviceError: there is not so much memory.
    """
    descriptor = os.memfd_create("hemonode-camera", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)
        # Of a fixed size also for a process that ran wild: reading behind the end of it would be fatal.
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    except OSError as error:
        os.close(descriptor)
        raise _too_little(size_bytes, error.strerror or str(error)) from error
    return SharedPicture(descriptor, writeable=True)


def _too_little(size_bytes: int, why: str) -> DeviceError:
    return DeviceError(
        f"There are no {size_bytes / 1e6:.1f} MB of shared memory for the camera's pictures ({why}); close other "
        "programs, allow this one more memory, or choose a smaller picture."
    )
