"""Energy of the processor packages as Intel's and AMD's running counters (RAPL) tell it, through Linux's powercap."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class Package:
    """One package: all its cores and what else runs on them, idle power included."""

    def __init__(self, folder: Path) -> None:
        self.name = f"{(folder / 'name').read_text(encoding='ascii').strip()} (RAPL)"
        self._counter = folder / "energy_uj"
        self._range_uj = int((folder / "max_energy_range_uj").read_text(encoding="ascii"))
        self._started_uj = self._read_uj()

    def start(self) -> None:
        """Begin to measure."""
        self._started_uj = self._read_uj()

    def stop(self) -> float:
        """Joules since `start`; the counter wraps after some minutes at full load, once at most is assumed."""
        return ((self._read_uj() - self._started_uj) % self._range_uj) / 1e6

    def _read_uj(self) -> int:
        return int(self._counter.read_text(encoding="ascii"))


def find_packages(powercap: Path = POWERCAP) -> Sequence[Package]:
    """The packages whose counters can be read; on most systems only root may."""
    packages = []
    # `intel-rapl:0` is a package, `intel-rapl:0:0` a part of it; the name is Intel's on AMD, too.
    for folder in sorted(powercap.glob("intel-rapl:*")):
        if folder.name.count(":") != 1:
            continue
        try:
            packages.append(Package(folder))
        except (OSError, ValueError):
            continue
    return packages
