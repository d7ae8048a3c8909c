"""Who may see the page: this machine, or whoever holds the token; and which other pages may not ask for it."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from hemonode.errors import HemonodeError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

COOKIE = "hemonode_session"
SHORTEST_TOKEN = 16

# Shown to anyone: no picture, no count, nothing about the laboratory.
OPEN_PATHS = ("/login", "/health", "/static/")

SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Access:
    """Checks tokens and sessions. Without a token, only this machine is served.

    Raises:
        HemonodeError: an address that others can reach without a token, or a token that is easy to guess.
    """

    def __init__(self, host: str, token: str | None) -> None:
        if token is None and not is_loopback(host):
            raise HemonodeError(
                f"the page on {host} could be seen by everyone on the network; set a token of at least "
                f"{SHORTEST_TOKEN} characters with HEMONODE_TOKEN or --token, or leave out --host"
            )
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise HemonodeError(f"the token is too short; take at least {SHORTEST_TOKEN} characters")
        self._token = token
        self.session = secrets.token_urlsafe(32)

    @property
    def needs_token(self) -> bool:
        """Whether a token is asked for."""
        return self._token is not None

    def is_token(self, candidate: str) -> bool:
        """Whether this is the token; takes the same time for every wrong one of its length."""
        return self._token is not None and hmac.compare_digest(candidate.encode(), self._token.encode())

    def admits(self, headers: dict[str, str]) -> bool:
        """Whether a request carries the token (Authorization: Bearer) or a session cookie from the login."""
        if self._token is None:
            return True
        scheme, _, candidate = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(candidate.strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self.session.encode())

    def trusts_host(self, host: str) -> bool:
        """Whether the Host header may be served: without a token only names of this machine.

        Otherwise a foreign page could point its own name at 127.0.0.1 and read the stream (DNS rebinding).
        """
        return self._token is not None or is_loopback(host_name(host))


def host_name(host: str) -> str:
    """The name or address in a Host header, without the port."""
    return host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]


def same_origin(headers: dict[str, str]) -> bool:
    """Whether a browser's request comes from our own page. Programs send no Origin and pass."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


class Guard:
    """ASGI middleware that refuses what `Access` does not admit, before any route sees it."""

    def __init__(self, app: Application, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the request on, refuse it, or send the browser to the login."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, _with_security_headers(send))
        elif scope["type"] == "websocket":
            # Closing before accepting answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(send, *refusal)

    def _refusal(self, scope: Message, headers: dict[str, str]) -> tuple[int, str] | None:
        path: str = scope["path"]
        if not self._access.trusts_host(headers.get("host", "")):
            return 403, "this page answers to localhost only"
        changes_something = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if changes_something and not same_origin(headers):
            return 403, "another site's page may not ask for this"
        if path.startswith(OPEN_PATHS) or self._access.admits(headers):
            return None
        return (303, "/login") if path == "/" else (401, "the token is missing or wrong")


def _with_security_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
        await send(message)

    return send_with_headers


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [*SECURITY_HEADERS, (b"content-type", b"text/plain; charset=utf-8")]
    if status == 303:
        headers.append((b"location", sentence.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if status == 303 else f"{sentence}\n".encode()})
