"""The program's log on standard error: lines to read on a terminal, one JSON object a line for a service."""

from __future__ import annotations

import faulthandler
import json
import logging
import queue
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TextIO

from hemonode.runtime.live.config import LogConfig

BURST = 5
"""Alike warnings that are told in `SPAN_S`; the next one after it says how many were not."""
SPAN_S = 60.0
KINDS_KEPT = 256

WAITING = 1000
"""Lines that wait for a terminal or journal that takes none; more are let go, and counted."""
_LAST_LINES_S = 0.5

_LOUD_LIBRARIES = ("uvicorn", "uvicorn.error", "websockets", "asyncio")


def start_logs(config: LogConfig, stream: TextIO | None = None) -> None:
    """Have everything logged to a stream, standard error where none is given. Again replaces what was set before."""
    if stream is None:
        stream = sys.stderr
        # A watchdog ends a program that hangs with SIGABRT; what every thread did then is worth knowing. Where standard
        # error is no file, nobody would read it.
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            faulthandler.enable()
    plain = config.format == "plain" or (config.format == "auto" and stream.isatty())
    writes = logging.StreamHandler(stream)
    writes.setFormatter(PlainLines() if plain else JsonLines())
    writes.addFilter(Repeats())
    handler = Aside(writes) if stream is sys.stderr else writes
    root = logging.getLogger()
    for earlier in [found for found in root.handlers if found.get_name() == "hemonode"]:
        root.removeHandler(earlier)
    handler.set_name("hemonode")
    root.addHandler(handler)
    logging.getLogger("hemonode").setLevel(config.level.upper())
    for name in _LOUD_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(config.level.upper())))


class Aside(logging.Handler):
    """Writes in a thread of its own: a terminal that is held, or a full pipe, must stop no frame and no page.

    Args:
        writes: gets each record.
    """

    def __init__(self, writes: logging.Handler) -> None:
        super().__init__()
        self._writes = writes
        self._records = queue.Queue[logging.LogRecord](WAITING)
        self._lost = 0
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Leave a record to be written."""
        try:
            self._records.put_nowait(record)
        except queue.Full:
            self._lost += 1

    def flush(self) -> None:
        """Wait for what was left to be written, but not for ever."""
        until_s = time.monotonic() + _LAST_LINES_S
        while self._records.unfinished_tasks and time.monotonic() < until_s:
            time.sleep(0.005)

    def _run(self) -> None:
        while True:
            record = self._records.get()
            self._writes.handle(record)
            lost, self._lost = self._lost, 0
            if lost:
                record = logging.LogRecord(
                    __name__, logging.WARNING, __file__, 0, "%d lines were not written: nobody took them", (lost,), None
                )
                self._writes.handle(record)
            self._records.task_done()


@dataclass
class _Kind:
    since_s: float
    told: int = 0
    silent: int = 0


class Repeats(logging.Filter):
    """Lets a few alike warnings through and counts the rest: a cable that rattles for days must not fill the disk.

    Alike are those of one logger and level whose text differs in figures only. What is less than a warning passes.

    Args:
        clock: seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds = OrderedDict[tuple[str, int, str], _Kind]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; `unsaid` on it is how many alike were not, since the last that was."""
        if record.levelno < logging.WARNING:
            return True
        key = (record.name, record.levelno, re.sub(r"\d+", "#", record.getMessage())[:200])
        now_s = self._clock()
        kind = self._kinds.setdefault(key, _Kind(now_s))
        self._kinds.move_to_end(key)
        if len(self._kinds) > KINDS_KEPT:
            self._kinds.popitem(last=False)
        if now_s - kind.since_s >= SPAN_S:
            kind.since_s, kind.told = now_s, 0
        if kind.told >= BURST:
            kind.silent += 1
            return False
        kind.told += 1
        record.unsaid, kind.silent = kind.silent, 0
        return True


class PlainLines(logging.Formatter):
    """`14:03:22 warning: the sentence (12 more like it were not shown)`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback below it where there is one. Control characters are spelt out."""
        at = datetime.fromtimestamp(record.created).astimezone()
        unsaid = getattr(record, "unsaid", 0)
        more = f" ({unsaid} more like it were not shown)" if unsaid else ""
        line = f"{at:%H:%M:%S} {record.levelname.lower()}: {_on_one_line(record.getMessage())}{more}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One object a line: at (UTC), level, logger, event, message, details, unsaid and traceback where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """JSON in ASCII, so that nothing a client sent can end the line or colour a terminal."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": getattr(record, "event", None),
            "message": record.getMessage(),
            "details": getattr(record, "details", None),
            "unsaid": getattr(record, "unsaid", 0) or None,
            "traceback": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({key: value for key, value in entry.items() if value is not None}, default=str)


def _on_one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
