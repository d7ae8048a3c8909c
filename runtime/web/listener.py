"""The address that the page is served on: taken before anything slow is opened, and open to a bounded number."""

from __future__ import annotations

import errno
import socket
import weakref
from typing import Any

from hemonode.errors import HemonodeError
from hemonode.runtime.web.attempts import neighbourhood
from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.refusals import Refusals


class Listener(socket.socket):
    """A listening socket that closes connections beyond what `limits` allow, before TLS or HTTP spend anything on them.

    A program that runs out of file descriptors can open no camera and no database any more.
    """

    def __init__(self, family: int, limits: Limits, refusals: Refusals) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._limits = limits
        self._refusals = refusals
        self._accepted = weakref.WeakKeyDictionary[socket.socket, str]()

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; ConnectionAbortedError, which asyncio passes over, where it was one too many."""
        accepted, address = super().accept()
        here = neighbourhood(str(address[0]))
        others = [where for other, where in self._accepted.items() if other.fileno() >= 0]
        if len(others) >= self._limits.connections or others.count(here) >= self._limits.connections_each:
            accepted.close()
            self._refusals.note("connections", "too many connections are open already", str(address[0]))
            raise ConnectionAbortedError("too many connections")
        self._accepted[accepted] = here
        return accepted, address


def listen(host: str, port: int, limits: Limits | None = None, refusals: Refusals | None = None) -> socket.socket:
    """Take the address. Port 0 takes any free one.

    Raises:
        HemonodeError: the port is in use, or the address is not one of this machine.
    """
    limits = limits or Limits()
    listener = Listener(socket.AF_INET6 if ":" in host else socket.AF_INET, limits, refusals or Refusals())
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What was sent and stays unacknowledged, or not taken, for so long ends a connection: the client vanished.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1e3 * limits.send_s))
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise HemonodeError(
            f"cannot serve on {host} port {port}: {error.strerror or error}; {_remedy(error)}"
        ) from error
    return listener


def _remedy(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "give an address of this machine with --host (0.0.0.0 takes them all)"
    return "choose another with --port (0 takes any free one)"
