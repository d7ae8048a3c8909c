"""`hemonode live` behind its configuration: joins the parts, serves the page, and stops cleanly."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import cv2

from hemonode.runtime.live.assembly import assemble
from hemonode.runtime.live.config import LiveConfig, PageConfig
from hemonode.runtime.live.desk import Desk
from hemonode.runtime.live.logs import start_logs
from hemonode.runtime.live.notify import Notifier
from hemonode.runtime.live.parts import Parts
from hemonode.runtime.live.session import LiveSession
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.refusals import Refusals
from hemonode.runtime.web.server import LiveServer, build_app, listen
from hemonode.runtime.web.tls import tls_context

_EVERYWHERE = ("0.0.0.0", "::")

Announce = Callable[[str | None, list[str]], None]


def serve(config: LiveConfig, announce: Announce) -> None:
    """Run the live view until Ctrl-C or SIGTERM.

    Args:
        config: what to show and where.
        announce: gets the page's address once it answers (None: there is no page), and lines on what runs.

    Raises:
        HemonodeError: address, bundle, engine or camera cannot be had as asked.
    """
    start_logs(config.log)
    # Each worker is one core's work; OpenCV's own threads would only get in their way.
    cv2.setNumThreads(1)
    with ExitStack() as owned:
        # First: that a port is taken is no news after a minute of opening.
        page = None if config.headless and not config.metrics else owned.enter_context(page_address(config.page))
        parts = assemble(config)
        session, desk, notifier = LiveSession(parts), Desk(parts), Notifier(lambda: desk.status())
        session.start()
        try:
            with _bundle_read_again_on_hangup(desk, notifier):
                if page is None:
                    announce(None, parts.model.introduction)
                    notifier.start()
                    _wait_until_told()
                else:
                    page.serve(desk, parts, notifier, announce, headless=config.headless)
        finally:
            _end_undisturbed()
            notifier.request_stop()
            if not session.stop():
                _leave_at_once()
            session.close()


class Page:
    """The page's address, taken, and who may ask there."""

    def __init__(self, config: PageConfig) -> None:
        self._config = config
        self._limits, self._refusals = Limits(), Refusals()
        secure = config.certificate is not None
        self._access = Access(config.host, config.secret(), config.names, secure=secure, port=config.port)
        self._tls = tls_context(config.certificate, config.key) if config.certificate and config.key else None
        self.listener = listen(config.host, config.port, self._limits, self._refusals)

    def serve(self, desk: Desk, parts: Parts, notifier: Notifier, announce: Announce, *, headless: bool) -> None:
        """Answer until Ctrl-C or SIGTERM."""

        def answers() -> None:
            announce(None if headless else self.url(), parts.model.introduction)
            notifier.start()

        app = build_app(desk, parts.hub, self._access, self._limits, self._refusals, headless=headless)
        server = LiveServer(app, parts.hub, answers, self._limits, self._tls)
        # uvicorn ends on Ctrl-C and SIGTERM and then raises the same signal again, for whoever started it.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[self.listener])

    def url(self) -> str:
        """Where a browser finds it."""
        host = self._config.host
        if host in _EVERYWHERE:
            # Nobody can go there; this name, others in the network can.
            host = self._config.names[0] if self._config.names else socket.gethostname()
        host = f"[{host}]" if ":" in host else host
        return f"{'http' if self._tls is None else 'https'}://{host}:{self.listener.getsockname()[1]}/"


@contextmanager
def page_address(config: PageConfig) -> Iterator[Page]:
    """Takes the address, and leaves it at the end.

    Raises:
        HemonodeError: it cannot be had, or others could see the page without a token.
    """
    page = Page(config)
    try:
        yield page
    finally:
        page.listener.close()


def _wait_until_told() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _end_undisturbed() -> None:
    """Ctrl-C and SIGTERM do nothing more: the stop is bounded; broken off, it loses counts and aborts in an engine."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def _bundle_read_again_on_hangup(desk: Desk, notifier: Notifier) -> Iterator[None]:
    """SIGHUP, as `systemctl reload` sends it; where signals cannot be had (not the main thread), without."""

    def read_again() -> None:
        notifier.reloading()
        desk.read_bundle_again()

    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        yield
        return
    # A handler runs between two steps of whatever the main thread does, which may hold a lock.
    before = signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=read_again, daemon=True).start())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _leave_at_once() -> None:
    # Closing an engine or unloading a driver under a thread that is still inside it can crash or hang.
    for handler in logging.getLogger().handlers:
        handler.flush()
    print("hemonode: a camera or engine did not answer within two seconds and was left behind.", file=sys.stderr)
    sys.stderr.flush()
    os._exit(0)
