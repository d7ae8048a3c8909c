"""Engines for several frame sizes, kept open: pictures of one folder need the same few again and again."""

from __future__ import annotations

from collections.abc import Callable

from hemonode.errors import EngineError
from hemonode.runtime.engines.contract import Engine, Shape

# Measuring the scale of a picture takes up to eight frame sizes, segmenting it one more.
_MOST_OPEN = 10
_CLOSED = "The engines were closed; open a new segmenter."


class EnginePool:
    """Opens an engine for each shape once, and closes the least recently used beyond ten. For one thread at a time.

    Args:
        open_for: opens an engine for a shape.
    """

    def __init__(self, open_for: Callable[[Shape], Engine]) -> None:
        self._open_for = open_for
        self._engines: dict[Shape, Engine] = {}
        self._closed = False

    def take(self, shape: Shape) -> Engine:
        """The engine for a shape, still the pool's to close.

        Raises:
            EngineError: it cannot be opened, or the pool was closed.
        """
        if self._closed:
            raise EngineError(_CLOSED)
        engine = self._engines.pop(shape, None)
        if engine is None:
            engine = self._open_for(shape)
        self._engines[shape] = engine
        if len(self._engines) > _MOST_OPEN:
            self._engines.pop(next(iter(self._engines))).close()
        return engine

    @property
    def latest(self) -> Engine:
        """The engine that was taken last.

        Raises:
            EngineError: none was, or the pool was closed.
        """
        if not self._engines:
            raise EngineError(_CLOSED)
        return next(reversed(self._engines.values()))

    def close(self) -> None:
        """Close all engines. Calling it again does nothing."""
        self._closed = True
        while self._engines:
            self._engines.popitem()[1].close()
