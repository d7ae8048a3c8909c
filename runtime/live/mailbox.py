"""A slot for one item between two threads: the latest wins, and what it replaced is counted."""

from __future__ import annotations

import threading
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Holds at most one item. A new one takes the place of one that nobody took in time.

    Attributes:
        replaced: how many items were never taken.
    """

    def __init__(self) -> None:
        self.replaced = 0
        self._changed = threading.Condition()
        self._items: tuple[Item, ...] = ()
        self._closed = False

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._items

    def put(self, item: Item) -> None:
        """Leave an item. Never waits; does nothing once the mailbox is closed."""
        with self._changed:
            if self._closed:
                return
            self.replaced += len(self._items)
            self._items = (item,)
            self._changed.notify()

    def take(self, timeout_s: float) -> Item | None:
        """Wait for an item and take it. None: none came in time, or the mailbox is closed."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._items and not self._closed:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    break
            taken, self._items = self._items, ()
        return taken[0] if taken else None

    def clear(self) -> None:
        """Let go of what waits, which counts as never taken."""
        with self._changed:
            self.replaced += len(self._items)
            self._items = ()

    def close(self) -> None:
        """Wake everyone who waits; what is still inside is let go."""
        with self._changed:
            self._closed = True
            self._items = ()
            self._changed.notify_all()
