"""Carries the latest packet to every page that watches; a slow page skips, and costs the others nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect
from pydantic_core import to_json

from hemonode.errors import HemonodeError
from hemonode.runtime.live.meters import StageMeter
from hemonode.runtime.web.calls import Calls
from hemonode.runtime.web.client import Client
from hemonode.runtime.web.encode import Packet
from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.refusals import Refusals

STATUS_EVERY_S = 0.5
GOING_AWAY, TOO_BIG, TRY_LATER = 1001, 1009, 1013

logger = logging.getLogger("hemonode.web")


class Hub:
    """All pages. Lives in the server's event loop; `publish`, `wanted`, `watched` and `clients` are for any thread.

    What a page is sent: the status as JSON text every `STATUS_EVERY_S`, made once for all, and packets, at most two of
    which it has not confirmed with `drawn N`. For a page that takes nothing, no more than that waits in memory.

    Args:
        status: what the pages show beside the picture; asked in a thread.

    Attributes:
        limits: of pages and what they say; the application's that it belongs to.
        refusals: hears of pages that are turned away; the application's, too.
    """

    def __init__(self, status: Callable[[], object]) -> None:
        self.limits = Limits()
        self.refusals = Refusals()
        self._status = status
        self._stages = StageMeter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: set[Client] = set()
        self._latest: Packet | None = None
        self._text: tuple[int, str] = (0, "")
        self._telling: asyncio.Task[None] | None = None
        self._wanted = False
        self._watched = frozenset[int]()
        self._closing = False

    @property
    def clients(self) -> int:
        """How many pages watch."""
        return len(self._clients)

    @property
    def stages(self) -> StageMeter:
        """Milliseconds of "page": from capture until a page confirmed to have drawn, over all pages."""
        return self._stages

    def wanted(self) -> bool:
        """Whether any page waits for a packet; nothing needs to be encoded otherwise."""
        return self._wanted

    def watched(self) -> frozenset[int]:
        """Numbers of the packets that pages show now."""
        return self._watched

    def publish(self, packet: Packet) -> None:
        """Offer a packet to every page."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._offer, packet)

    def close(self) -> None:
        """End every connection, so that the server can stop. Called in the event loop."""
        self._closing = True
        for client in self._clients:
            client.leave(GOING_AWAY, "hemonode stops")

    async def serve(self, socket: WebSocket) -> None:
        """Look after one page until it leaves."""
        self._loop = asyncio.get_running_loop()
        client = Client(socket)
        await socket.accept()
        if len(self._clients) >= self.limits.pages or self._closing:
            reason = f"{self.limits.pages} pages watch already; close one of them"
            self.refusals.note("pages", reason, client.address)
            await socket.close(TRY_LATER, reason)
            return
        self._clients.add(client)
        self._look_for_demand()
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())
        listening = asyncio.create_task(self._listen(client))
        try:
            await self._feed(client)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The page left while something was being sent: starlette and the transport say it in these ways.
            pass
        except asyncio.TimeoutError:
            self.refusals.note("stuck", f"a page took nothing for {self.limits.send_s:g} s", client.address)
        finally:
            listening.cancel()
            self._clients.discard(client)
            self._look_for_demand()

    async def _feed(self, client: Client) -> None:
        while client.farewell is None:
            client.wake.clear()
            number, text = self._text
            if number > client.told and text:
                client.told = number
                await self._send(client.socket.send_text(text))
            packet = self._latest
            if packet is not None and packet.number > client.sent and client.hungry:
                client.sending(packet)
                self._look_for_demand()
                await self._send(client.socket.send_bytes(packet.payload))
                continue
            await client.wake.wait()
        await self._send(client.socket.close(*client.farewell))

    async def _send(self, sending: Coroutine[Any, Any, None]) -> None:
        await asyncio.wait_for(sending, self.limits.send_s)

    async def _tell(self) -> None:
        """Ask for the status while anybody watches, and have it sent to all."""
        loop = asyncio.get_running_loop()
        # A status that hangs may hold one thread, not one more every half second.
        calls = Calls(1, self.limits.call_s)
        while self._clients and not self._closing:
            due_s = loop.time() + STATUS_EVERY_S
            try:
                text = await calls(self._status_text)
            except HemonodeError as error:
                logger.warning("The status of the live view is late: %s", error, extra={"event": "fault"})
            except Exception:
                logger.exception("The status of the live view failed", extra={"event": "fault"})
            else:
                self._text = (self._text[0] + 1, text)
                self._wake_all()
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    def _status_text(self) -> str:
        # JSON has no NaN and no infinity, and a browser takes none.
        return to_json(self._status(), inf_nan_mode="null").decode()

    async def _listen(self, client: Client) -> None:
        """Hear "drawn N" after each packet; a page that is frozen or slow says nothing and gets nothing."""
        while client.farewell is None:
            message = await client.socket.receive()
            if message["type"] == "websocket.disconnect":
                self._left(client, message.get("code"))
                return
            took_ms = client.hear(message.get("text"))
            if took_ms is not None:
                self._stages.add({"page": took_ms})
            self._look_for_demand()
        self.refusals.note("message", client.farewell[1], client.address)

    def _left(self, client: Client, code: int | None) -> None:
        if code == TOO_BIG:
            self.refusals.note("message", "a message to the stream was too long", client.address)
        client.leave(GOING_AWAY, "")

    def _offer(self, packet: Packet) -> None:
        self._latest = packet
        self._wake_all()

    def _wake_all(self) -> None:
        for client in self._clients:
            client.wake.set()

    def _look_for_demand(self) -> None:
        self._wanted = any(client.hungry for client in self._clients)
        self._watched = frozenset(client.shows for client in self._clients)
