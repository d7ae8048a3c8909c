"""Files that are made while they are sent: a session's export never lies in memory as a whole."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator

from fastapi.responses import StreamingResponse

from hemonode.runtime.web.calls import NoAnswerError

MOST = 4
"""Made at once."""
AHEAD = 2
"""Pieces made before the client took the one before."""
PATIENCE_S = 120.0
"""That a piece waits for a client; the connection itself ends sooner where nothing is taken at all."""

Opened = tuple[Iterator[bytes], str, str]
"""Pieces, media type, file name."""

_END = None

logger = logging.getLogger("hemonode.web")


class Downloads:
    """Sends exports, a few at once, each made by one thread of its own from first to last: databases ask for that."""

    def __init__(self) -> None:
        self._room = threading.BoundedSemaphore(MOST)

    async def send(self, open_file: Callable[[], Opened]) -> StreamingResponse:
        """The answer that sends a file.

        Args:
            open_file: called in the thread.

        Raises:
            NoAnswerError: too many are being made already.
            HemonodeError: what `open_file` raises.
        """
        if not self._room.acquire(blocking=False):
            raise NoAnswerError(f"{MOST} exports are being made already; try again when one of them is done.")
        making = _Making(open_file, self._room.release)
        media_type, name = await making.begin()
        disposition = f'attachment; filename="{re.sub(r"[^0-9A-Za-z._-]", "_", name)}"'
        return StreamingResponse(making.pieces(), media_type=media_type, headers={"content-disposition": disposition})


class _Making:
    """One file on its way from a thread to the event loop."""

    def __init__(self, open_file: Callable[[], Opened], done: Callable[[], None]) -> None:
        self._open = open_file
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._queue = asyncio.Queue[bytes | BaseException | None](AHEAD)
        self._opened: asyncio.Future[tuple[str, str]] = self._loop.create_future()
        self._abandoned = threading.Event()

    async def begin(self) -> tuple[str, str]:
        """Media type and name, once it is open."""
        threading.Thread(target=self._run, name="export", daemon=True).start()
        return await self._opened

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its content."""
        try:
            while (piece := await self._queue.get()) is not _END:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            self._abandoned.set()
            while not self._queue.empty():
                self._queue.get_nowait()

    def _run(self) -> None:
        try:
            self._make()
        except (concurrent.futures.TimeoutError, RuntimeError):
            logger.info("An export was given up: its client took nothing any more, or hemonode stops")
        finally:
            self._done()

    def _make(self) -> None:
        try:
            pieces, media_type, name = self._open()
        except Exception as error:
            self._loop.call_soon_threadsafe(self._tell, error)
            return
        self._loop.call_soon_threadsafe(self._tell, (media_type, name))
        try:
            for piece in pieces:
                if self._abandoned.is_set():
                    return
                self._hand(piece)
        except Exception as error:  # the connection is cut, so that nobody takes a part for the whole
            if self._abandoned.is_set() or isinstance(error, concurrent.futures.TimeoutError):
                raise
            self._hand(error)
            return
        self._hand(_END)

    def _tell(self, outcome: tuple[str, str] | Exception) -> None:
        if self._opened.done():  # whoever asked has left
            self._abandoned.set()
        elif isinstance(outcome, Exception):
            self._opened.set_exception(outcome)
        else:
            self._opened.set_result(outcome)

    def _hand(self, piece: bytes | BaseException | None) -> None:
        waiting = asyncio.run_coroutine_threadsafe(self._queue.put(piece), self._loop)
        try:
            waiting.result(PATIENCE_S)
        except concurrent.futures.TimeoutError:
            waiting.cancel()
            raise
