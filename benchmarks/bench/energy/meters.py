"""The energy meters of this machine. What a machine does not report is left out, never estimated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from hemonode.benchmarks.bench.energy.jetson_rails import find_rails
from hemonode.benchmarks.bench.energy.nvml import find_gpus
from hemonode.benchmarks.bench.energy.rapl import find_packages


class Meter(Protocol):
    """Something that knows how much energy has passed through it. Closed by `stop`."""

    @property
    def name(self) -> str:
        """What is measured, and by what."""
        ...

    def start(self) -> None:
        """Begin to measure."""
        ...

    def stop(self) -> float:
        """Joules since `start`."""
        ...


# One line per kind of meter; each finds those of its kind on this machine.
FINDERS = (find_packages, find_gpus, find_rails)


def find_meters() -> list[Meter]:
    """All meters that can be read here; none is usual in a virtual machine, or without rights."""
    return [meter for find in FINDERS for meter in find()]


@contextmanager
def measuring(meters: Sequence[Meter]) -> Iterator[dict[str, float]]:
    """Joules by meter for what runs inside; the dictionary is filled at its end."""
    joules: dict[str, float] = {}
    for meter in meters:
        meter.start()
    yield joules
    for meter in meters:
        joules[meter.name] = meter.stop()
