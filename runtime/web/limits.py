"""How much of everything the page's server takes from others; nothing that a client does grows beyond these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds.

    Attributes:
        body_bytes: of a request; all that is sent here are ids, names and notes.
        body_s: in which it must arrive.
        header_bytes: of a request's line and headers.
        header_s: in which they must arrive.
        idle_s: that a connection without a request is kept.
        connections: open at once; beyond it new ones are closed.
        connections_each: of them from one address.
        pages: that watch the stream at once.
        message_bytes: of a page on the stream; "drawn 123456" is all it says.
        ping_s: after which a page that gives no sign of life is let go, and how often it is asked for one.
        send_s: in which a page must take what was sent.
        calls: asked of the live view at once.
        call_s: in which it must answer.
    """

    body_bytes: int = 64 * 1024
    body_s: float = 10.0
    header_bytes: int = 16 * 1024
    header_s: float = 10.0
    idle_s: int = 15
    connections: int = 192
    connections_each: int = 96
    pages: int = 32
    message_bytes: int = 1024
    ping_s: float = 15.0
    send_s: float = 20.0
    calls: int = 8
    call_s: float = 20.0
