"""Asks the live view in threads: the event loop goes on while a camera thinks, and hung calls stay few."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from hemonode.errors import HemonodeError

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class NoAnswerError(HemonodeError):
    """The live view did not answer in time."""


class Calls:
    """Runs functions that may block, a bounded number at once.

    A thread that never returns is left behind as a daemon and keeps its place; were it given back, every further click
    on a camera that hangs would leave one more.

    Args:
        most: at once; others wait.
        patience_s: until a caller gives up.
    """

    def __init__(self, most: int, patience_s: float) -> None:
        self._room = asyncio.Semaphore(most)
        self._patience_s = patience_s

    async def __call__(self, function: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """The function's answer, or what it raises.

        Raises:
            NoAnswerError: none came in time.
        """
        try:
            return await asyncio.wait_for(self._run(partial(function, *args, **kwargs)), self._patience_s)
        except asyncio.TimeoutError:
            raise NoAnswerError(
                f"The live view did not answer within {self._patience_s:g} s; a camera or disk may hang. Try again."
            ) from None

    async def _run(self, function: Callable[[], Answer]) -> Answer:
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def hand_over(value: Answer | None, error: BaseException | None) -> None:
            self._room.release()
            if answer.done():  # the caller gave up
                return
            if error is None:
                answer.set_result(value)  # type: ignore[arg-type]
            else:
                answer.set_exception(error)

        def work() -> None:
            value, failure = None, None
            try:
                value = function()
            except BaseException as error:
                failure = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(hand_over, value, failure)

        threading.Thread(target=work, name="api", daemon=True).start()
        return await answer
