"""One page on the stream: what is on its way to it, and when it is let go."""

from __future__ import annotations

import asyncio
import re
import time

from fastapi import WebSocket

from hemonode.runtime.live.meters import StageMeter
from hemonode.runtime.web.encode import Packet

IN_FLIGHT = 2
"""Packets on their way to a page that it has not yet confirmed to have drawn."""
MOST_STRAYS = 20
"""Confirmations of packets that are not on their way: a page that sends more is broken, or no page."""
LONGEST_MS = 10_000
"""A page that was frozen, or in the background, draws late: that says nothing about the way to it."""

_DRAWN = re.compile(r"drawn ([0-9]{1,15})")

UNSUPPORTED, POLICY = 1003, 1008


class Client:
    """One page. Lives in the event loop.

    Attributes:
        sent: number of the packet sent last.
        shows: number of the packet that it confirmed last.
        told: number of the status sent last.
        farewell: close code and reason, once it must go.
        stages: "page", milliseconds from capture until it confirmed to have drawn.
        drawn: packets it confirmed.
    """

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.address = socket.client.host if socket.client else "unknown"
        self.sent = -1
        self.shows = -1
        self.told = -1
        self.drawn = 0
        self.farewell: tuple[int, str] | None = None
        self.wake = asyncio.Event()
        self.stages = StageMeter()
        self._captured_ns: dict[int, int] = {}
        self._strays = 0

    @property
    def hungry(self) -> bool:
        """Whether it can take another packet."""
        return len(self._captured_ns) < IN_FLIGHT

    def sending(self, packet: Packet) -> None:
        """A packet goes on its way."""
        self.sent = packet.number
        self._captured_ns[packet.number] = packet.captured_ns

    def hear(self, text: str | None) -> float | None:
        """A message came.

        Returns:
            Milliseconds from capture to drawn, where it says so.
        """
        said = _DRAWN.fullmatch(text) if text is not None else None
        if said is None:
            self.leave(UNSUPPORTED, "only 'drawn N' is understood")
            return None
        captured_ns = self._captured_ns.pop(int(said[1]), None)
        if captured_ns is None:
            self._strays += 1
            if self._strays > MOST_STRAYS:
                self.leave(POLICY, "these packets were not sent")
            return None
        self.drawn += 1
        self.shows = max(self.shows, int(said[1]))
        self.wake.set()
        took_ms = (time.monotonic_ns() - captured_ns) / 1e6
        if took_ms > LONGEST_MS:
            return None
        self.stages.add({"page": took_ms})
        return took_ms

    def leave(self, code: int, reason: str) -> None:
        """Have the connection closed."""
        self.farewell = self.farewell or (code, reason)
        self.wake.set()
