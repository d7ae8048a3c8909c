"""Energy on the supply rails of a Jetson, from its INA3221 power monitors (Linux hwmon)."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

HWMON = Path("/sys/class/hwmon")
MONITOR = "ina3221"
CHANNELS = (1, 2, 3)
INTERVAL_S = 0.02
"""Between samples: reading a channel over I²C takes about a millisecond, and must not slow what is measured."""


class Rail:
    """One rail: it tells power, so a thread samples and integrates it. Rails may feed each other: never add them.

    Args:
        voltage_mv: its voltage file.
        current_ma: its current file.
        label: as the board's device tree calls it; VDD_IN is the whole module.
    """

    def __init__(self, voltage_mv: Path, current_ma: Path, label: str) -> None:
        self.name = f"{label} (INA3221)"
        self._files = voltage_mv, current_ma
        self._done = threading.Event()
        self._sampling: threading.Thread | None = None
        self._joules = 0.0
        self.power_w()

    def power_w(self) -> float:
        """Power now, watts."""
        voltage, current = (int(file.read_text(encoding="ascii")) for file in self._files)
        return voltage * current / 1e6

    def start(self) -> None:
        """Begin to measure."""
        self._joules = 0.0
        self._done.clear()
        self._sampling = threading.Thread(target=self._sample, daemon=True)
        self._sampling.start()

    def stop(self) -> float:
        """Joules since `start`, by the trapezoidal rule."""
        assert self._sampling is not None
        self._done.set()
        self._sampling.join()
        return self._joules

    def _sample(self) -> None:
        power, then = self.power_w(), time.perf_counter()
        ending = False
        while not ending:
            ending = self._done.wait(INTERVAL_S)
            next_power, now = self.power_w(), time.perf_counter()
            self._joules += (power + next_power) / 2 * (now - then)
            power, then = next_power, now


def find_rails(hwmon: Path = HWMON) -> Sequence[Rail]:
    """The rails of all INA3221 monitors that have a label and can be read."""
    rails = []
    for folder in sorted(hwmon.glob("hwmon*")):
        try:
            if (folder / "name").read_text(encoding="ascii").strip() != MONITOR:
                continue
            for channel in CHANNELS:
                label = folder / f"in{channel}_label"
                current = folder / f"curr{channel}_input"
                if label.exists() and current.exists():
                    text = label.read_text(encoding="ascii").strip()
                    rails.append(Rail(folder / f"in{channel}_input", current, text))
        except (OSError, ValueError):
            continue
    return rails
