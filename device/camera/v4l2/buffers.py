"""The memory that a camera's driver fills, mapped into ours: pictures are copied out, the memory goes back."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import time
from contextlib import suppress
from dataclasses import dataclass

from hemonode.device.camera.v4l2 import abi
from hemonode.device.camera.v4l2.handle import Handle
from hemonode.errors import DeviceError

COUNT = 4


@dataclass(frozen=True)
class Taken:
    """What the driver delivered.

    Attributes:
        data: a copy; empty where nothing arrived.
        broken: the driver knows that part of it is missing.
        sequence: its number, as the driver counts.
        captured_ns: `time.monotonic_ns()` at capture by the driver's stamp, or now where there is none to rely on.
    """

    data: bytes
    broken: bool
    sequence: int
    captured_ns: int


class Buffers:
    """A running stream. It ends when the handle is closed.

    Attributes:
        count: how many pictures the driver can keep.
    """

    def __init__(self, handle: Handle) -> None:
        """Start to stream.

        Raises:
            DeviceError: the driver has no memory to give, or refuses.
        """
        self._handle = handle
        self._started_ns = time.monotonic_ns()
        request = abi.RequestBuffers(count=COUNT, type=abi.BUF_TYPE_VIDEO_CAPTURE, memory=abi.MEMORY_MMAP)
        handle.ask(abi.REQBUFS, request, "reserve memory for pictures")
        if request.count < 2:
            raise DeviceError(f"{handle.name} has memory for {request.count} pictures; it needs 2. Free some memory.")
        self.count = int(request.count)
        self._maps: list[mmap.mmap] = []
        handle.release_before(self._release)
        for index in range(self.count):
            buffer = _buffer(index)
            handle.ask(abi.QUERYBUF, buffer, "show its memory")
            self._maps.append(mmap.mmap(handle.fileno, buffer.length, offset=buffer.m.offset))
            handle.ask(abi.QBUF, buffer, "take memory for pictures")
        handle.ask(abi.STREAMON, ctypes.c_int(abi.BUF_TYPE_VIDEO_CAPTURE), "start to stream")

    def take(self) -> Taken | None:
        """What is ready now, the oldest first; None where nothing is. Never waits.

        Raises:
            DeviceError: closed, unplugged, or the driver gave up.
        """
        self._handle.check_open()
        buffer = _buffer(0)
        try:
            fcntl.ioctl(self._handle.fileno, abi.DQBUF, buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise DeviceError(f"{self._handle.name} stopped to stream; open it again.") from error
            raise self._handle.fault(error, "give a picture") from error
        mapped = self._maps[buffer.index]
        taken = Taken(
            mapped[: min(buffer.bytesused, len(mapped))],
            bool(buffer.flags & abi.BUF_FLAG_ERROR),
            buffer.sequence,
            self._captured_ns(buffer),
        )
        self._handle.ask(abi.QBUF, buffer, "take memory for pictures")
        return taken

    def _captured_ns(self, buffer: abi.Buffer) -> int:
        now_ns = time.monotonic_ns()
        if buffer.flags & abi.BUF_FLAG_TIMESTAMP_MASK != abi.BUF_FLAG_TIMESTAMP_MONOTONIC:
            return now_ns
        stamp_ns = 1_000_000_000 * int(buffer.timestamp.seconds) + 1_000 * int(buffer.timestamp.microseconds)
        # Some drivers stamp with another clock than they say.
        return stamp_ns if self._started_ns <= stamp_ns <= now_ns else now_ns

    def _release(self) -> None:
        # A device that was unplugged cannot be told to stop, and need not.
        with suppress(OSError):
            fcntl.ioctl(self._handle.fileno, abi.STREAMOFF, ctypes.c_int(abi.BUF_TYPE_VIDEO_CAPTURE))
        for mapped in self._maps:
            mapped.close()


def _buffer(index: int) -> abi.Buffer:
    return abi.Buffer(index=index, type=abi.BUF_TYPE_VIDEO_CAPTURE, memory=abi.MEMORY_MMAP)
