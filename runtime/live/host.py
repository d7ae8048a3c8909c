"""The machine's temperatures, power mode and free memory, looked at now and then by a thread of its own."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from hemonode.device.host.memory import read_memory
from hemonode.device.host.power import power_modes
from hemonode.device.host.thermal import temperatures_c
from hemonode.runtime.live.status import HostStatus

PERIOD_S = 2.0


class HostWatch:
    """Start it, ask it, stop it.

    Args:
        root: folder that stands for "/", for tests.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._status = self._look()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="host", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def request_stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: a sensor does not answer and is left behind."""
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        return not self._thread.is_alive()

    def status(self) -> HostStatus:
        """What was seen last."""
        return self._status

    def _watch(self) -> None:
        while not self._stopping.wait(PERIOD_S):
            self._status = self._look()

    def _look(self) -> HostStatus:
        temperatures, memory = temperatures_c(self._root), read_memory(self._root)
        return HostStatus(
            temperatures_c=temperatures,
            hottest_c=max(temperatures.values(), default=None),
            hot_from_c=None,
            power_mode=", ".join(power_modes(self._root).values()) or None,
            memory_free_bytes=None if memory is None else memory.available_bytes,
        )
