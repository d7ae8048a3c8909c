"""Tells systemd that the live view is ready, alive, reloading or stopping (sd_notify), where systemd asked for it.

Source: the protocol in sd_notify(3) and systemd.service(5), WatchdogSec=.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping

from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.status import LiveStatus

STATUS_EVERY_S = 10.0
START_S = 300.0
"""In which the first result must come: an engine may have to be built, and cells to be found to measure the scale."""

logger = logging.getLogger("hemonode.live")


class Notifier:
    """Sends to `NOTIFY_SOCKET`; where there is none, every call does nothing.

    The watchdog is fed at half its interval, and only while results flow, or the camera's absence is being handled, or
    the view starts. If it hangs in a way that it cannot mend itself, systemd starts it again.

    Args:
        status: of the live view; a call that never returns starves the watchdog, as it should.
        environment: where systemd leaves its wishes.
    """

    def __init__(self, status: Callable[[], LiveStatus], environment: Mapping[str, str] = os.environ) -> None:
        self._status = status
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._watchdog_s = _watchdog_s(environment)
        self._progress = Progress()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)

    @property
    def watchdog_s(self) -> float | None:
        """Interval in which systemd wants a sign of life; None: it wants none."""
        return self._watchdog_s

    def start(self) -> None:
        """The view answers: say so, and keep telling how it fares."""
        self._send("READY=1")
        if self._address is not None:
            self._thread.start()

    def reloading(self) -> None:
        """The bundle is being read again; the view goes on meanwhile."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._send("READY=1")

    def request_stop(self) -> None:
        """The view stops."""
        self._stopping.set()
        self._send("STOPPING=1")

    def join(self, deadline_s: float) -> bool:
        """Wait for the end until a monotonic time."""
        return join_until(self._thread, deadline_s)

    def _run(self) -> None:
        pause_s = min(STATUS_EVERY_S, self._watchdog_s / 2 if self._watchdog_s else STATUS_EVERY_S)
        while not self._stopping.is_set():
            try:
                self._tell(self._status())
            except Exception:  # without a status nobody knows that all is well, and the watchdog hears nothing
                logger.exception("the status for systemd failed")
            self._stopping.wait(pause_s)

    def _tell(self, status: LiveStatus) -> None:
        lines = [f"STATUS={summary(status)}"]
        if self._watchdog_s is not None and self._progress.seen(status):
            lines.append("WATCHDOG=1")
        self._send("\n".join(lines))

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode(), self._address)
        except OSError as error:
            logger.warning("systemd could not be told %s: %s", message.partition("=")[0], error)


class Progress:
    """Whether a view does what it is there for, from one look at its status to the next.

    Args:
        clock: seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s = clock()
        self._seen: tuple[int, int] = (0, 0)
        self._results = False

    def seen(self, status: LiveStatus) -> bool:
        """Whether it goes on: results rise, or the camera is away or has ended, or there was no result ever yet.

        Before the first one, frames in which no cells were found to measure the scale by count, too: an empty slide in
        the night is no fault.
        """
        before, self._seen = self._seen, (status.results, status.drops.get("measuring", 0))
        self._results = self._results or status.results > 0
        if self._seen[0] > before[0] or self._seen[1] > before[1]:
            return True
        if status.source.state != "running":
            return True
        return not self._results and self._clock() - self._began_s < START_S


def summary(status: LiveStatus) -> str:
    """A line for `systemctl status`."""
    pages = f"{status.pages} page{'' if status.pages == 1 else 's'}"
    what = f"{status.solver.setting} on {status.model.engine}"
    line = f"{status.label}: {status.rate_hz:.1f} results/s, {what}, {pages}"
    return line if status.message is None else f"{line}; {' '.join(status.message.split())}"[:500]


def _address(named: str) -> str | None:
    """The socket's address as the kernel takes it: "@" begins a name that is no file."""
    if not named.startswith(("/", "@")):
        return None
    return f"\0{named[1:]}" if named.startswith("@") else named


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Only where it is meant for this process."""
    try:
        wanted_s = int(environment.get("WATCHDOG_USEC", "")) / 1e6
        process = int(environment.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return wanted_s if wanted_s > 0 and process == os.getpid() else None
