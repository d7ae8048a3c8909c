"""The header of a benchmark: what it ran on, by which clock, with how many threads and in which power mode."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

from hemonode.benchmarks.bench.contestant import Record
from hemonode.benchmarks.bench.energy.meters import find_meters
from hemonode.benchmarks.machine import describe_machine
from hemonode.device.host.files import lines, number
from hemonode.device.host.power import power_modes

FREQUENCY_KHZ = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
CPU_INFO = Path("/proc/cpuinfo")

BUSY_SHARE = 0.25
"""Of the cores; with a higher load average than that before the start, other programs take part in the figures."""


class Circumstances(Record):
    """See the module's text. `load` is the one-minute load average before the start."""

    processor: str
    cores: int
    threads: int
    frequency_mhz: float | None
    power_mode: str
    clock: str
    load: float
    system: str
    python: str
    libraries: dict[str, str]
    energy_meters: tuple[str, ...]

    @property
    def warning(self) -> str | None:
        """A sentence where other programs were busy before the start, else None."""
        if self.load <= BUSY_SHARE * self.cores:
            return None
        return f"Other programs kept {self.load:.1f} of {self.cores} cores busy before the start; end them and repeat."

    def sentences(self) -> list[str]:
        """For a reader."""
        frequency = "not told" if self.frequency_mhz is None else f"{self.frequency_mhz:.0f} MHz"
        return [
            f"{self.processor}, {self.cores} cores ({frequency} at the start); threads of each engine: {self.threads}.",
            f"Power mode: {self.power_mode}. Load before the start: {self.load:.2f}. {self.system}.",
            f"Clock: {self.clock}.",
            f"Python {self.python}, {', '.join(f'{name} {version}' for name, version in self.libraries.items())}.",
            f"Energy meters: {', '.join(self.energy_meters) or 'none that can be read here'}.",
        ]


def describe(threads: int | None) -> Circumstances:
    """The machine as it is now; `threads` None is one for each core."""
    machine = describe_machine()
    return Circumstances(
        **asdict(machine),
        threads=threads or machine.cores,
        frequency_mhz=_frequency_mhz(),
        power_mode=_power_mode(),
        clock=_clock(),
        energy_meters=tuple(meter.name for meter in find_meters()),
    )


def _clock() -> str:
    clock = time.get_clock_info("perf_counter")
    kind = "monotonic" if clock.monotonic else "not monotonic"
    return f"{clock.implementation}, {kind}, resolution {clock.resolution:g} s"


def _power_mode() -> str:
    told = [f"{name} {text}" for name, text in power_modes().items()]
    return ", ".join(told) or "not told by this system"


def _frequency_mhz() -> float | None:
    told_khz = number(FREQUENCY_KHZ)
    if told_khz is not None:
        return told_khz / 1e3
    for line in lines(CPU_INFO):
        if line.startswith("cpu MHz"):
            return float(line.partition(":")[2])
    return None
