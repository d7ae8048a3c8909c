"""Puts what several workers finish back into the order in which they took it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class InOrder(Generic[Item]):
    """Hands items on in the order of their tickets, one at a time.

    At most `limit` finished items wait for an earlier one; a worker that would exceed this waits for a ticket.

    Args:
        deliver: gets each item, in order; called by one thread at a time; must not raise.
        limit: how many finished items may wait.
    """

    def __init__(self, deliver: Callable[[Item], None], limit: int) -> None:
        self._deliver = deliver
        self._limit = limit
        self._changed = threading.Condition()
        self._issued = 0
        self._delivered = 0
        self._waiting: dict[int, Item | None] = {}

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until another item may be begun. False: not within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._waiting) < self._limit, timeout_s)

    def ticket(self) -> int:
        """The place of an item that is begun now. Every ticket must be finished."""
        with self._changed:
            self._issued += 1
            return self._issued - 1

    def finish(self, ticket: int, item: Item | None) -> bool:
        """Return a ticket with what came of it; None for nothing. False: it was returned before; nothing is done."""
        with self._changed:
            if ticket < self._delivered or ticket in self._waiting:
                return False
            self._waiting[ticket] = item
            while self._delivered in self._waiting:
                ready = self._waiting.pop(self._delivered)
                self._delivered += 1
                if ready is not None:
                    self._deliver(ready)
            self._changed.notify_all()
            return True
