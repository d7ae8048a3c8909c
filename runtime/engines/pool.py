"""Engines kept open by what they are for: one camera, or one folder of pictures, needs the same few again and again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from hemonode.errors import EngineError
from hemonode.runtime.engines.contract import Engine

# Measuring the scale of a picture takes up to eight frame sizes, segmenting it one more.
MOST_OPEN = 10
CLOSED = "The engines were closed; open a new segmenter."

LONGEST_OPENING_S = 1800.0
"""A plan takes minutes to build; what takes longer than this never ends."""

Key = TypeVar("Key", bound=Hashable)


class _Opening(NamedTuple):
    """Somebody opens an engine: in which thread, and since when on the monotonic clock."""

    thread: int
    since_s: float


class EnginePool(Generic[Key]):
    """Opens an engine for each key once, and closes the least recently used idle ones beyond a number. For any thread.

    Who wants an engine that another thread is opening waits for it; nobody else does.

    Args:
        open_for: opens an engine for a key, in any thread.
        most_open: see above.
    """

    def __init__(self, open_for: Callable[[Key], Engine], most_open: int = MOST_OPEN) -> None:
        self._open_for = open_for
        self._most_open = most_open
        self._engines: dict[Key, Engine] = {}
        self._opening: dict[Key, _Opening] = {}
        self._retired: list[Engine] = []
        self._users = Counter[Engine]()
        # Which engines a thread is in, so that one that never comes back can be told from the others.
        self._held: dict[int, list[Engine]] = {}
        self._waiting: set[int] = set()
        self._changed = threading.Condition()
        self._latest: Engine | None = None
        self._closed = False

    @contextmanager
    def using(self, key: Key) -> Iterator[Engine]:
        """The engine for a key, which stays open during the block; still the pool's to close.

        Raises:
            EngineError: it cannot be opened, or the pool was closed.
        """
        engine = self._take(key)
        try:
            yield engine
        finally:
            self._leave(engine)

    def has(self, key: Key) -> bool:
        """Whether the engine for a key is open."""
        with self._changed:
            return key in self._engines

    def find(self, key: Key) -> Engine | None:
        """The engine for a key, if it is open."""
        with self._changed:
            return self._engines.get(key)

    def renew(self, key: Key) -> None:
        """Open the engine for a key anew, warm it up, and put it in the place of the one before. Users do not wait.

        Raises:
            EngineError: it cannot be opened, or the pool was closed; the one before stays.
        """
        engine = self._open_for(key)
        try:
            engine.warm_up()
        except BaseException:
            engine.close()
            raise
        with self._changed:
            closed = self._closed
            if not closed:
                self._retire(key)
                self._engines[key] = self._latest = engine
        self._close_unused()
        if closed:
            engine.close()
            raise EngineError(CLOSED)

    def throw_away(self, unwanted: Callable[[Key, Engine], bool]) -> int:
        """Close engines, each after its last run; the next use opens a new one. How many there were.

        Args:
            unwanted: whether an engine is meant.
        """
        with self._changed:
            keys = [key for key, engine in self._engines.items() if unwanted(key, engine)]
            for key in keys:
                self._retire(key)
        self._close_unused()
        return len(keys)

    def is_opening(self, thread: int) -> bool:
        """Whether a thread is opening an engine or waits for one that opens, which may take its time."""
        with self._changed:
            opening = next((opening for opening in self._opening.values() if opening.thread == thread), None)
            if opening is not None:
                return time.monotonic() - opening.since_s < LONGEST_OPENING_S
            return thread in self._waiting

    def give_up(self, thread: int) -> bool:
        """A thread never comes back: leave the engine to it that it is in or opens; the next use opens a new one.

        Returns:
            Whether it was in one, and the first to be given up there.
        """
        with self._changed:
            opens = [key for key, opening in self._opening.items() if opening.thread == thread]
            for key in opens:
                del self._opening[key]
            held = self._held.pop(thread, [])
            # Among none that will be closed: that would wait for the thread.
            kept = {key: engine for key, engine in self._engines.items() if engine not in held}
            left = len(kept) < len(self._engines)
            self._engines = kept
            self._retired = [engine for engine in self._retired if engine not in held]
            self._changed.notify_all()
            return left or bool(opens)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """All that are open."""
        with self._changed:
            return tuple(self._engines.values())

    @property
    def latest(self) -> Engine | None:
        """The engine that was used last, closed or not; None before the first. Never waits for one that opens."""
        return self._latest

    def close(self) -> None:
        """Close all engines, after the runs in work. Calling it again does nothing."""
        with self._changed:
            self._closed = True
            engines = (*self._engines.values(), *self._retired)
            self._engines.clear()
            self._retired.clear()
            self._changed.notify_all()
        for engine in engines:
            engine.close()

    def _take(self, key: Key) -> Engine:
        thread = threading.get_ident()
        with self._changed:
            self._waiting.add(thread)
            self._changed.wait_for(lambda: key not in self._opening or self._closed)
            self._waiting.discard(thread)
            self._check_open()
            if key in self._engines:
                return self._enter(key, self._engines.pop(key))
            mine = self._opening[key] = _Opening(thread, time.monotonic())
        try:
            engine = self._open_for(key)
        except BaseException:
            self._end_opening(key, mine)
            raise
        with self._changed:
            # Closed meanwhile, or given up and another thread's turn.
            wanted = self._end_opening(key, mine) and not self._closed
            if wanted:
                self._enter(key, engine)
        if not wanted:
            engine.close()
            raise EngineError(CLOSED)
        self._close_unused()
        return engine

    def _end_opening(self, key: Key, mine: _Opening) -> bool:
        with self._changed:
            if self._opening.get(key) is not mine:
                return False
            del self._opening[key]
            self._changed.notify_all()
            return True

    def _enter(self, key: Key, engine: Engine) -> Engine:
        self._engines[key] = self._latest = engine
        self._users[engine] += 1
        self._held.setdefault(threading.get_ident(), []).append(engine)
        return engine

    def _leave(self, engine: Engine) -> None:
        thread = threading.get_ident()
        with self._changed:
            held = self._held.get(thread, [])
            given_up = engine not in held
            if not given_up:
                held.remove(engine)
                if not held:
                    del self._held[thread]
            self._users[engine] -= 1
            if given_up and not self._users[engine]:
                # It came back after all.
                self._retired.append(engine)
        self._close_unused()

    def _retire(self, key: Key) -> None:
        if key in self._engines:
            self._retired.append(self._engines.pop(key))

    def _close_unused(self) -> None:
        """Close what is no longer needed and no longer used."""
        with self._changed:
            idle = [key for key, engine in self._engines.items() if not self._users[engine]]
            for key in idle[: max(0, len(self._engines) - self._most_open)]:
                self._retire(key)
            ended = [engine for engine in self._retired if not self._users[engine]]
            self._retired = [engine for engine in self._retired if self._users[engine]]
            self._users = +self._users
        for engine in ended:
            engine.close()

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError(CLOSED)
