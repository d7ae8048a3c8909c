"""What a camera's process and ours say to each other: small JSON messages, and with them file descriptors."""

from __future__ import annotations

import json
import math
import select
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

LARGEST_BYTES = 1 << 16

Message = dict[str, Any]


class Channel:
    """One end. Messages arrive whole and in order, and what was written before one is sent is there when it arrives.

    For one thread at a time.

    Raises, in all methods:
        EOFError: the other end is closed, or its process is gone.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        """To wait for."""
        return self._end.fileno()

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send a message, and duplicates of descriptors."""
        data = json.dumps(message).encode()
        try:
            if descriptors:
                socket.send_fds(self._end, [data], list(descriptors))
            else:
                self._end.send(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError from error

    def receive(self, until_s: float | None = None) -> tuple[Message, tuple[int, ...]] | None:
        """Wait for a message until a monotonic time, or for ever.

        Returns:
            The message and its descriptors, which are the caller's to close; None: nothing until then.
        """
        if until_s is not None:
            waiting = select.poll()
            waiting.register(self._end, select.POLLIN)
            if not waiting.poll(max(0, math.ceil(1000 * (until_s - time.monotonic())))):
                return None
        try:
            data, descriptors, _, _ = socket.recv_fds(self._end, LARGEST_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError as error:
            raise EOFError from error
        if not data:
            raise EOFError
        return json.loads(data), tuple(descriptors)

    def shut(self) -> None:
        """End the conversation, from any thread: whoever waits at either end hears of it."""
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other process is gone, or this was done before.
            return

    def close(self) -> None:
        """Release the descriptor, once no thread uses it any more."""
        self._end.close()


def channel() -> tuple[Channel, socket.socket]:
    """A new one: our end, and the end that the other process shall have."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Channel(ours), theirs
