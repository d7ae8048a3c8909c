"""Wall-clock and processor milliseconds per named stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StageFigures:
    """One stage over many frames. Wall-clock percentiles, and the median of processor time; milliseconds."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    cpu_ms: float


class StageClock:
    """Times stages. Processor time is the whole program's, so that an engine's own threads are in it.

    Nothing else may run in the program meanwhile.
    """

    def __init__(self) -> None:
        self._wall_ms: dict[str, list[float]] = {}
        self._cpu_ms: dict[str, list[float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self._cpu_ms.setdefault(name, []).append(1e3 * (time.process_time() - cpu))
        self._wall_ms.setdefault(name, []).append(1e3 * (time.perf_counter() - wall))

    def summary(self) -> dict[str, StageFigures]:
        """Figures per stage, in the order of the stages."""
        return {name: _figures(wall, self._cpu_ms[name]) for name, wall in self._wall_ms.items()}


def _figures(wall_ms: list[float], cpu_ms: list[float]) -> StageFigures:
    p50, p90, p99 = (float(value) for value in np.percentile(wall_ms, (50, 90, 99)))
    return StageFigures(p50, p90, p99, float(np.median(cpu_ms)))
