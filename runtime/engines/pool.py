"""Engines for several frame sizes, kept open: pictures of one folder need the same few again and again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hemonode.errors import EngineError
from hemonode.runtime.engines.contract import Engine, Shape

# Measuring the scale of a picture takes up to eight frame sizes, segmenting it one more.
_MOST_OPEN = 10
_CLOSED = "The engines were closed; open a new segmenter."


class EnginePool:
    """Opens an engine for each shape once, and closes the least recently used idle ones beyond ten. For any thread.

    Args:
        open_for: opens an engine for a shape; called by one thread at a time.
    """

    def __init__(self, open_for: Callable[[Shape], Engine]) -> None:
        self._open_for = open_for
        self._engines: dict[Shape, Engine] = {}
        self._users = Counter[Shape]()
        self._changing = threading.Lock()
        self._closed = False

    @contextmanager
    def using(self, shape: Shape) -> Iterator[Engine]:
        """The engine for a shape, which stays open during the block; still the pool's to close.

        Raises:
            EngineError: it cannot be opened, or the pool was closed.
        """
        with self._changing:
            engine = self._take(shape)
            self._users[shape] += 1
        try:
            yield engine
        finally:
            with self._changing:
                self._users[shape] -= 1

    @property
    def latest(self) -> Engine:
        """The engine that was used last.

        Raises:
            EngineError: none was, or the pool was closed.
        """
        with self._changing:
            if not self._engines:
                raise EngineError(_CLOSED)
            return next(reversed(self._engines.values()))

    def close(self) -> None:
        """Close all engines, after the runs in work. Calling it again does nothing."""
        with self._changing:
            self._closed = True
            while self._engines:
                self._engines.popitem()[1].close()

    def _take(self, shape: Shape) -> Engine:
        if self._closed:
            raise EngineError(_CLOSED)
        engine = self._engines.pop(shape, None)
        if engine is None:
            engine = self._open_for(shape)
        self._engines[shape] = engine
        idle = [other for other in self._engines if other != shape and not self._users[other]]
        for other in idle[: max(0, len(self._engines) - _MOST_OPEN)]:
            self._engines.pop(other).close()
        return engine
