"""A lock that lets others have their turn, where one thread takes it again and again."""

from __future__ import annotations

import threading


class Turns:
    """For `with`. A plain lock goes to whoever is awake first, which is the thread that has just let it go."""

    def __init__(self) -> None:
        self._next = threading.Lock()
        self._held = threading.Lock()

    def __enter__(self) -> None:
        # Whoever is next keeps the place until the turn is over; the one before cannot be next as well.
        with self._next:
            self._held.acquire()

    def __exit__(self, *_: object) -> None:
        self._held.release()
