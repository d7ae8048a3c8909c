"""HTTP as uvicorn speaks it, with a deadline for a request's line and headers."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def with_deadline(header_s: float) -> type[H11Protocol]:
    """The protocol class for a server that waits so long for a request's headers.

    uvicorn waits for ever: a client that sends one byte a minute would keep its connection for days.
    """

    class PromptH11(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as in uvicorn
            super().connection_made(transport)
            self._expect()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                self._expect()
            else:
                self._relax()

        def handle_websocket_upgrade(self, event: Any) -> None:  # noqa: ANN401 - as in uvicorn
            # From here on, the connection belongs to another protocol.
            self._relax()
            self._upgraded = True
            super().handle_websocket_upgrade(event)

        def connection_lost(self, exc: Exception | None) -> None:
            self._relax()
            super().connection_lost(exc)

        _upgraded = False

        def _expect(self) -> None:
            if self._deadline is None and not self._upgraded:
                self._deadline = self.loop.call_later(header_s, self.transport.abort)

        def _relax(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return PromptH11
