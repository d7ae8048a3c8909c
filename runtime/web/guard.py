"""The gate before every route: refuses strangers, other sites' pages and bodies that are too large or too slow."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from pydantic_core import to_json

from hemonode.runtime.web.access import Access
from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.origin import foreign
from hemonode.runtime.web.refusals import Refusals

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

# Shown to anyone: no picture, no count, nothing about the laboratory.
OPEN_PATHS = ("/login", "/health")
OPEN_FOLDER = "/static/"

SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

logger = logging.getLogger("hemonode.web")


class Refusal(NamedTuple):
    """An answer instead of what was asked for; `cause` is for the log and the metrics."""

    status: int
    cause: str
    sentence: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Guard:
    """ASGI application around another, which sees only what `Access` admits.

    Args:
        app: behind it.
        access: who is let in.
        limits: of bodies.
        refusals: hears of each.
    """

    def __init__(self, app: Application, access: Access, limits: Limits, refusals: Refusals) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._refusals = refusals

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the request on, refuse it, or send the browser to the login."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        address = scope["client"][0] if scope.get("client") else "unknown"
        refusal = self._judge(scope, headers, address)
        if refusal is None and _has_body(headers):
            body = await self._read(receive)
            refusal = body if isinstance(body, Refusal) else None
            receive = _replaying(b"" if isinstance(body, Refusal) else body, receive)
        if refusal is None:
            await self._pass_on(scope, receive, send)
            return
        if refusal.status != 303:
            self._refusals.note(refusal.cause, refusal.sentence, address, scope["path"])
        if scope["type"] == "websocket":
            # Closing before accepting answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(send, refusal)

    async def _pass_on(self, scope: Message, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            if not answer.complete:
                raise  # uvicorn logs it and cuts the connection, so that nobody takes a part for the whole
            logger.exception("%s failed", scope["path"], extra={"event": "fault"})

    def _judge(self, scope: Message, headers: dict[str, str], address: str) -> Refusal | None:
        path: str = scope["path"]
        if _size(scope) > self._limits.header_bytes:
            # uvicorn's own limit is looked at only while a request is incomplete.
            return Refusal(431, "large", f"a request's line and headers may have {self._limits.header_bytes} bytes")
        if not self._access.trusts_host(headers.get("host", "")):
            return Refusal(403, "host", "this page does not answer to that name")
        changing = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if (reason := foreign(headers, changing=changing, path=path)) is not None:
            return Refusal(403, "origin", reason)
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return None
        verdict = self._access.judge(headers, address)
        if verdict == "wait":
            return too_many_attempts(self._access.wait_s(address))
        if verdict == "no":
            if path == "/":
                return Refusal(303, "token", "", ((b"location", b"/login"),))
            return Refusal(401, "token", "the token is missing or wrong", ((b"www-authenticate", b"Bearer"),))
        if verdict == "cookie" and changing and not ("origin" in headers or "sec-fetch-site" in headers):
            # A browser would have said where it comes from; a program has the token itself.
            return Refusal(403, "origin", "a request with a cookie must say which page it comes from")
        return None

    async def _read(self, receive: Receive) -> bytes | Refusal:
        try:
            return await asyncio.wait_for(self._gather(receive), self._limits.body_s)
        except asyncio.TimeoutError:
            return Refusal(408, "slow", f"the request did not arrive within {self._limits.body_s:g} s")

    async def _gather(self, receive: Receive) -> bytes | Refusal:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._limits.body_bytes:
                return Refusal(413, "large", f"a request may have {self._limits.body_bytes} bytes, this one has more")
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return bytes(body)


def too_many_attempts(wait_s: float) -> Refusal:
    """The answer to who tried too many wrong tokens."""
    seconds = math.ceil(wait_s)
    return Refusal(
        429, "attempts", f"too many wrong tokens; try again in {seconds} s", ((b"retry-after", b"%d" % seconds),)
    )


def _size(scope: Message) -> int:
    return (
        len(scope["raw_path"])
        + len(scope["query_string"])
        + sum(len(key) + len(value) for key, value in scope["headers"])
    )


def _has_body(headers: dict[str, str]) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _replaying(body: bytes, receive: Receive) -> Receive:
    """First the body that was read, then whatever comes after it: that the client left."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


class _Answer:
    """Adds the headers that every answer has, and sees whether it was sent to its end."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
        await self._send(message)
        self.complete = message["type"] == "http.response.body" and not message.get("more_body", False)


async def _refuse(send: Send, refusal: Refusal) -> None:
    # The connection ends with it: what is still to come of a large body is not worth reading.
    headers = [*SECURITY_HEADERS, *refusal.headers, (b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    body = b"" if refusal.status == 303 else to_json({"error": refusal.sentence})
    await send({"type": "http.response.body", "body": body})
