"""Is the machine steady enough to trust? A fixed load, repeated between the runs, must take the same time each time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hemonode.benchmarks.bench.contestant import Record

WIDEST_SPREAD = 0.1
"""Of the fixed load; beyond it the run is called noisy."""

_VALUES = 1 << 16
"""Of each thread, float32: a quarter of a megabyte, which stays in a core's own cache."""
_REPETITIONS = 400


class Steadiness(Record):
    """How long the fixed load took over a run, milliseconds.

    Attributes:
        times: how often it was repeated.
        p10_ms, median_ms, p90_ms: percentiles.
    """

    times: int
    p10_ms: float
    median_ms: float
    p90_ms: float

    @property
    def spread(self) -> float:
        """(p90 − p10) / median."""
        return (self.p90_ms - self.p10_ms) / self.median_ms

    @property
    def warning(self) -> str | None:
        """A sentence where the machine is too noisy, else None."""
        if self.spread <= WIDEST_SPREAD:
            return None
        return (
            f"This machine was too noisy to trust: a load that never changes took {self.p10_ms:.0f} to "
            f"{self.p90_ms:.0f} ms ({self.spread:.0%} of its median, {self.times} times). Differences below that mean "
            "nothing: end other programs, fix the clock frequency, and repeat."
        )


def run_fixed_load(threads: int) -> float:
    """Milliseconds that the same arithmetic takes on every thread at once."""
    # No BLAS: its own threads would make the load another one on every machine.
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_nothing, range(threads)))
        started = time.perf_counter()
        list(pool.map(_work, range(threads)))
        return 1e3 * (time.perf_counter() - started)


def _nothing(_: int) -> None:
    """Lets the pool start its threads before the clock does."""


def _work(_: int) -> None:
    values = np.linspace(0, 1, _VALUES, dtype=np.float32)
    for _repetition in range(_REPETITIONS):
        np.cos(values, out=values)


def steadiness(loads_ms: Sequence[float]) -> Steadiness:
    """Sum up the repetitions of the fixed load; at least one."""
    p10, median, p90 = (float(value) for value in np.percentile(loads_ms, (10, 50, 90)))
    return Steadiness(times=len(loads_ms), p10_ms=p10, median_ms=median, p90_ms=p90)
