"""Tells the log who was refused and why, once in a while: a flood of strangers must not fill the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

EVERY_S = 10.0

logger = logging.getLogger("hemonode.web")


class Refusals:
    """Counts refusals by cause, and logs the first of each cause and then one line in `EVERY_S`. For any thread.

    Args:
        clock: seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()
        self._told_s: dict[str, float] = {}

    def note(self, cause: str, sentence: str, address: str | None, path: str = "") -> None:
        """One more.

        Args:
            cause: one of a few words of ours; a client never chooses it.
            sentence: why.
            address: of the client, where it is known.
            path: that was asked for; without its query, which may hold a secret.
        """
        with self._lock:
            self._counts[cause] += 1
            if self._clock() - self._told_s.get(cause, -EVERY_S) < EVERY_S:
                self._silent[cause] += 1
                return
            self._told_s[cause] = self._clock()
            unsaid = self._silent.pop(cause, 0)
        details = {"cause": cause, "address": address, "path": ascii(path[:100]), "unsaid": unsaid}
        logger.warning("Refused %s: %s", address, sentence, extra={"event": "access", "details": details})

    def counts(self) -> dict[str, int]:
        """Refusals so far, by cause."""
        with self._lock:
            return dict(self._counts)
