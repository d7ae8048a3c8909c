"""Carries the latest packet to every page that watches; a slow page skips, and costs the others nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from hemonode.runtime.web.encode import Packet

MOST_CLIENTS = 8
IN_FLIGHT = 2
"""Packets on their way to a page that it has not yet confirmed to have drawn."""
STATUS_EVERY_S = 0.5
CLOSE_TRY_LATER = 1013


class Client:
    """One page: what it was sent, and whether it can take more."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.sent = -1
        self.unconfirmed = 0
        self.wake = asyncio.Event()

    @property
    def hungry(self) -> bool:
        """Whether it can take another packet."""
        return self.unconfirmed < IN_FLIGHT


class Hub:
    """All pages. Lives in the server's event loop; `publish` and `wanted` may be called from any thread.

    Args:
        status: what the pages show beside the picture, as JSON types.
    """

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self._status = status
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: set[Client] = set()
        self._latest: Packet | None = None
        self._wanted = False
        self._closing = False

    @property
    def clients(self) -> int:
        """How many pages watch."""
        return len(self._clients)

    def wanted(self) -> bool:
        """Whether any page waits for a packet; nothing needs to be encoded otherwise."""
        return self._wanted

    def publish(self, packet: Packet) -> None:
        """Offer a packet to every page."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._offer, packet)

    def close(self) -> None:
        """End every connection, so that the server can stop. Called in the event loop."""
        self._closing = True
        for client in self._clients:
            client.wake.set()

    async def serve(self, socket: WebSocket) -> None:
        """Look after one page until it leaves."""
        self._loop = asyncio.get_running_loop()
        await socket.accept()
        if len(self._clients) >= MOST_CLIENTS or self._closing:
            await socket.close(CLOSE_TRY_LATER, f"{MOST_CLIENTS} pages watch already; close one of them")
            return
        client = Client(socket)
        self._clients.add(client)
        self._look_for_demand()
        listening = asyncio.create_task(self._listen(client))
        try:
            await self._feed(client, listening)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The page left while something was being sent: starlette and the transport say it in these ways.
            pass
        finally:
            listening.cancel()
            self._clients.discard(client)
            self._look_for_demand()

    async def _feed(self, client: Client, listening: asyncio.Task[None]) -> None:
        status_due_s = 0.0
        while not self._closing and not listening.done():
            now_s = time.monotonic()
            if now_s >= status_due_s:
                status_due_s = now_s + STATUS_EVERY_S
                await client.socket.send_text(json.dumps(self._status()))
            packet = self._latest
            if packet is not None and packet.number > client.sent and client.hungry:
                client.sent = packet.number
                client.unconfirmed += 1
                self._look_for_demand()
                await client.socket.send_bytes(packet.payload)
                continue
            client.wake.clear()
            try:
                await asyncio.wait_for(client.wake.wait(), max(0.0, status_due_s - time.monotonic()))
            except asyncio.TimeoutError:
                continue

    async def _listen(self, client: Client) -> None:
        """Hear "drawn" after each packet; a page that is frozen or slow says nothing and gets nothing."""
        while True:
            message = await client.socket.receive()
            if message["type"] == "websocket.disconnect":
                client.wake.set()
                return
            if message.get("text") == "drawn":
                client.unconfirmed = max(0, client.unconfirmed - 1)
                self._look_for_demand()
                client.wake.set()

    def _offer(self, packet: Packet) -> None:
        self._latest = packet
        for client in self._clients:
            client.wake.set()

    def _look_for_demand(self) -> None:
        self._wanted = any(client.hungry for client in self._clients)
