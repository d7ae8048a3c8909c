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
CLOSED = "The engines were closed; open a new segmenter."


class EnginePool:
    """Opens an engine for each shape once, and closes the least recently used idle ones beyond ten. For any thread.

    Args:
        open_for: opens an engine for a shape, in any thread.
    """

    def __init__(self, open_for: Callable[[Shape], Engine]) -> None:
        self._open_for = open_for
        self._engines: dict[Shape, Engine] = {}
        self._retired: list[Engine] = []
        self._users = Counter[Engine]()
        self._changing = threading.Lock()
        self._latest: Engine | None = None
        self._closed = False

    @contextmanager
    def using(self, shape: Shape) -> Iterator[Engine]:
        """The engine for a shape, which stays open during the block; still the pool's to close.

        Raises:
            EngineError: it cannot be opened, or the pool was closed.
        """
        with self._changing:
            engine = self._take(shape)
            self._users[engine] += 1
        try:
            yield engine
        finally:
            with self._changing:
                self._users[engine] -= 1
                self._close_idle()

    def renew(self, shape: Shape) -> None:
        """Open the engine for a shape anew, warm it up, and put it in the place of the one before. Users do not wait.

        Raises:
            EngineError: it cannot be opened, or the pool was closed; the one before stays.
        """
        engine = self._open_for(shape)
        try:
            engine.warm_up()
            with self._changing:
                self._check_open()
                if shape in self._engines:
                    self._retired.append(self._engines.pop(shape))
                self._engines[shape] = self._latest = engine
                self._close_idle()
        except BaseException:
            engine.close()
            raise

    @property
    def latest(self) -> Engine | None:
        """The engine that was used last; None before the first and after the end. Never waits for one that opens."""
        return self._latest

    def close(self) -> None:
        """Close all engines, after the runs in work. Calling it again does nothing."""
        with self._changing:
            self._closed = True
            for engine in (*self._engines.values(), *self._retired):
                engine.close()
            self._engines.clear()
            self._retired.clear()
            self._latest = None

    def _take(self, shape: Shape) -> Engine:
        self._check_open()
        engine = self._engines.pop(shape, None) or self._open_for(shape)
        self._engines[shape] = self._latest = engine
        idle = [other for other, opened in self._engines.items() if other != shape and not self._users[opened]]
        for other in idle[: max(0, len(self._engines) - _MOST_OPEN)]:
            self._retired.append(self._engines.pop(other))
        self._close_idle()
        return engine

    def _close_idle(self) -> None:
        """Close what is no longer needed and no longer used."""
        for engine in [engine for engine in self._retired if not self._users[engine]]:
            self._retired.remove(engine)
            engine.close()
        self._users = +self._users

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError(CLOSED)
