"""A live view on a free port of this process, so that a benchmark can ask each of its threads what it has spent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hemonode.errors import HemonodeError
from hemonode.runtime.live.assembly import assemble
from hemonode.runtime.live.config import LiveConfig
from hemonode.runtime.live.desk import Desk
from hemonode.runtime.live.parts import Parts
from hemonode.runtime.live.session import LiveSession
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.server import LiveServer, build_app, listen

_START_S = 60.0


@dataclass(frozen=True)
class Served:
    """A running view: its parts, what may be asked of it, and where its page is ("127.0.0.1:PORT")."""

    parts: Parts
    desk: Desk
    address: str


@contextmanager
def served(config: LiveConfig) -> Iterator[Served]:
    """Start a view and its page; end both afterwards.

    Raises:
        HemonodeError: it cannot be opened, or gives no result.
    """
    parts = assemble(config)
    session, desk = LiveSession(parts), Desk(parts)
    listener = listen("127.0.0.1", 0)
    server = LiveServer(build_app(desk, parts.hub, Access("127.0.0.1", None)), parts.hub)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server", daemon=True)
    session.start()
    thread.start()
    try:
        _wait_for_results(parts)
        yield Served(parts, desk, f"127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(10)
        session.stop()
        listener.close()


def _wait_for_results(parts: Parts) -> None:
    until_s = time.monotonic() + _START_S
    while parts.pipeline.results < 50:
        if time.monotonic() > until_s:
            told = "; ".join(fault.message for fault in parts.faults.recent(_START_S))
            raise HemonodeError(f"the live view gave no results within {_START_S:.0f} s: {told or 'no fault was told'}")
        time.sleep(0.05)


def thread_seconds() -> dict[str, float]:
    """Processor seconds spent so far by each of this process's threads, by name; "worker-0" and its like together."""
    spent: dict[str, float] = {}
    for thread in threading.enumerate():
        if thread.ident is not None and thread.is_alive():
            name = thread.name.rstrip("0123456789").rstrip("-_ ")
            clock = time.pthread_getcpuclockid(thread.ident)
            spent[name] = spent.get(name, 0.0) + time.clock_gettime(clock)
    return spent
