"""The machine's temperatures, power mode and free memory, looked at now and then by a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from hemonode.device.host.memory import read_memory
from hemonode.device.host.nvml import Card, Cards, open_cards
from hemonode.device.host.power import power_modes
from hemonode.device.host.thermal import Sensor, thermal_zones
from hemonode.device.host.throttling import throttled_by
from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.status import HostStatus

PERIOD_S = 2.0


class HostWatch:
    """Start it, ask it, stop it.

    Args:
        root: folder that stands for "/", for tests.
        open_gpus: finds the graphics cards' driver.
        period_s: between two looks.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        open_gpus: Callable[[], Cards | None] = open_cards,
        period_s: float = PERIOD_S,
    ) -> None:
        self._root = root
        self._open_gpus = open_gpus
        self._period_s = period_s
        # Without the graphics cards: their driver may take its time, and nobody shall wait for it at the start.
        self._status = look(root, ())
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
        return join_until(self._thread, deadline_s)

    def status(self) -> HostStatus:
        """What was seen last."""
        return self._status

    def _watch(self) -> None:
        gpus = self._open_gpus()
        while True:
            self._status = look(self._root, () if gpus is None else gpus.look())
            if self._stopping.wait(self._period_s):
                return


def look(root: Path, cards: Sequence[Card]) -> HostStatus:
    """What the machine tells now."""
    sensors = [*thermal_zones(root), *(card.sensor for card in cards)]
    nearest = _nearest_to_limit(sensors)
    memory = read_memory(root)
    modes = [*power_modes(root).values(), *(f"{card.power_limit_w:.0f} W" for card in cards if card.power_limit_w)]
    causes = {*throttled_by(root), *(cause for card in cards for cause in card.throttled_by)}
    return HostStatus(
        temperatures_c={sensor.name: round(sensor.celsius, 1) for sensor in sensors},
        hottest_c=None if nearest is None else round(nearest.celsius, 1),
        hot_from_c=None if nearest is None else nearest.limit_c,
        power_mode=", ".join(modes) or None,
        memory_free_bytes=None if memory is None else memory.available_bytes,
        throttled_by=tuple(sorted(causes)),
    )


def _nearest_to_limit(sensors: Sequence[Sensor]) -> Sensor | None:
    """Each part of a machine bears another heat, so not simply the hottest where limits are told."""
    limited = [(sensor.limit_c - sensor.celsius, sensor) for sensor in sensors if sensor.limit_c is not None]
    if limited:
        return min(limited, key=lambda pair: pair[0])[1]
    return max(sensors, key=lambda sensor: sensor.celsius, default=None)
