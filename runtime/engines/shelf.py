"""The engines of one bundle: one for each solver setting and frame size that is in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from hemonode.device.host.memory import resident_bytes
from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines import ENGINES, open_engine
from hemonode.runtime.engines.contract import AskedPrecision, Engine, Shape
from hemonode.runtime.engines.pool import CLOSED, MOST_OPEN, EnginePool
from hemonode.runtime.plans.machine import this_machine


class Rung(NamedTuple):
    """What an engine is opened for: a solver setting, and (N, H, W)."""

    setting: str
    shape: Shape


@dataclass(frozen=True)
class Asked:
    """How engines are opened; see `hemonode.runtime.engines.open_engine`.

    Attributes:
        open_rung: opens an engine in another way than that.
        without: engines that are not to be taken any more, with the reason; grows.
    """

    engine: str = "auto"
    precision: AskedPrecision = "auto"
    threads: int | None = None
    lanes: int = 1
    tell: Callable[[str], None] | None = None
    open_rung: Callable[[Rung], Engine] | None = None
    without: dict[str, str] = field(default_factory=dict)


class EngineShelf:
    """For any thread. Close it.

    Args:
        bundle: the model.
        asked: how to open engines.

    Raises:
        EngineError: an engine that builds was asked for by name, and cannot here.
    """

    def __init__(self, bundle: Bundle, asked: Asked) -> None:
        self._bundle = bundle
        self._asked = asked
        # Each setting for one frame size, and those to measure the scale with.
        most = MOST_OPEN - 1 + len(bundle.manifest.settings)
        self._working = EnginePool[Rung](self._open, most)
        # Measuring the scale tries eight frame sizes: none is worth minutes of building.
        self._measuring = self._working
        if asked.engine in ENGINES and ENGINES[asked.engine].builds:
            this_machine()
            self._measuring = EnginePool[Rung](self._open_at_once)

    @property
    def _pools(self) -> set[EnginePool[Rung]]:
        return {self._working, self._measuring}

    @property
    def latest(self) -> Engine:
        """The engine used last."""
        return self._working.latest or self._measuring.latest or _closed()

    @contextmanager
    def using(self, rung: Rung, *, to_measure: bool = False) -> Iterator[Engine]:
        """The engine of a rung, opened where it is not, which stays open during the block.

        Args:
            rung: what it is for.
            to_measure: one that can be opened at once, whatever was asked for.

        Raises:
            EngineError: it cannot be opened, or the shelf was closed.
        """
        with (self._measuring if to_measure else self._working).using(rung) as engine:
            yield engine

    def find(self, rung: Rung) -> Engine | None:
        """The engine of a rung, if it is open."""
        return self._working.find(rung)

    def renew(self, rung: Rung) -> None:
        """Open the engine of a rung, warm it up, and put it in the place of the one before, if any. Users do not wait.

        Raises:
            EngineError: it cannot be opened; the one before stays in use.
        """
        self._working.renew(rung)

    def throw_away(self, unwanted: Callable[[Rung], bool]) -> int:
        """Close engines, each after its last run; the next use opens them anew. How many there were."""
        return self._working.throw_away(lambda rung, _: unwanted(rung))

    def do_without(self, engine: str, reason: str) -> None:
        """Take another engine than this from now on, and close those of its kind after their last run.

        Raises:
            EngineError: it was asked for by name, so that no other takes its place.
        """
        if self._asked.engine != "auto":
            raise EngineError(f"The engine {engine} was asked for by name, so no other takes its place.")
        self._asked.without[engine] = reason
        for pool in self._pools:
            pool.throw_away(lambda _, opened: opened.name == engine)

    def is_opening(self, thread: int) -> bool:
        """Whether a thread is opening an engine; see `EnginePool.is_opening`."""
        return any(pool.is_opening(thread) for pool in self._pools)

    def give_up(self, thread: int) -> bool:
        """A thread never comes back from an engine; see `EnginePool.give_up`."""
        return any(pool.give_up(thread) for pool in self._pools)

    @property
    def taken_bytes(self) -> tuple[int, ...]:
        """By how much this process grew when each of the open engines was opened, as far as that is known."""
        return tuple(
            engine.memory_bytes for pool in self._pools for engine in pool.engines if engine.memory_bytes is not None
        )

    def close(self) -> None:
        """Release the engines, after the runs in work. Calling it again does nothing."""
        for pool in self._pools:
            pool.close()

    def _open(self, rung: Rung) -> Engine:
        return self._opened(rung, self._asked.engine, self._asked.precision)

    def _open_at_once(self, rung: Rung) -> Engine:
        return self._opened(rung, "auto", "auto")

    def _opened(self, rung: Rung, engine: str, precision: AskedPrecision) -> Engine:
        asked, before = self._asked, resident_bytes()
        if asked.open_rung is not None:
            return asked.open_rung(rung)
        opened = open_engine(
            self._bundle,
            rung.shape,
            engine=engine,
            setting=rung.setting,
            precision=precision,
            threads=asked.threads,
            lanes=asked.lanes,
            tell=asked.tell,
            without=asked.without,
        )
        after = resident_bytes()
        if before is not None and after is not None:
            opened.memory_bytes = max(0, after - before)
        return opened


def _closed() -> NoReturn:
    raise EngineError(CLOSED)
