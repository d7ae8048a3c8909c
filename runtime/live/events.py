"""What happened in a live view: moves of the governor, faults, commands. Bounded, numbered, and told to who listens."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

KEPT = 500

Value = str | int | float | bool | None
Listener = Callable[["Event"], None]

logger = logging.getLogger("hemonode.live")


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        number: rises by one with each event of a run, from 1.
        at: when, UTC.
        kind: for programs: "governor", "camera", "fault", "tally", "recorder", "command", "engine", "bundle", "access".
        message: a sentence.
        details: figures that belong to it.
    """

    number: int
    at: datetime
    kind: str
    message: str
    details: Mapping[str, Value] = field(default_factory=dict)


class EventLog:
    """The last `KEPT` events. For any thread. A listener that raises is told of in the log and called again."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> None:
        """Have every later event told, in the thread in which it happens: return at once."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def add(self, kind: str, message: str, **details: Value) -> Event:
        """Note what happened, and log it as a structured line."""
        with self._lock:
            event = Event(next(self._numbers), datetime.now(timezone.utc), kind, message, details)
            self._events.append(event)
            listeners = self._listeners
        level = logging.WARNING if kind == "fault" else logging.INFO
        logger.log(level, message, extra={"event": kind, "details": dict(details)})
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener failed on event %d", event.number)
        return event

    def after(self, number: int = 0) -> tuple[Event, ...]:
        """Those numbered above `number` that are still kept, oldest first."""
        with self._lock:
            return tuple(event for event in self._events if event.number > number)
