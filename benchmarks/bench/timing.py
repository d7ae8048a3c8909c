"""Times one contestant in this process: open, warm up, run; memory and energy beside."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from hemonode.benchmarks.bench.energy.meters import find_meters, measuring
from hemonode.benchmarks.bench.jobs import Timed, Timing
from hemonode.benchmarks.bench.memory import peak_memory_mb
from hemonode.benchmarks.bench.opening import bundle_of, open_contestant

LEAST_RUNS = 2
WARM_UP_RUNS = 2
"""On real frames, after the first run, which lazy set-up makes slow."""


def time_contestant(job: Timing) -> Timed:
    """See `Timing` and `Timed`.

    Raises:
        HemonodeError: the contestant cannot be opened, or fails.
    """
    frames = np.load(job.frames)
    shape = (job.batch, frames.shape[1], frames.shape[2])
    before_mb = peak_memory_mb()
    started = time.perf_counter()
    bundle = bundle_of(job.contestant, job.ground)
    with open_contestant(job.contestant, job.ground, bundle, shape) as engine:
        engine.run(batch_of(frames, 0, job.batch))
        open_s = time.perf_counter() - started
        for number in range(1, 1 + WARM_UP_RUNS):
            engine.run(batch_of(frames, number, job.batch))
        latency_ms: list[float] = []
        processor_ms: list[float] = []
        with measuring(find_meters()) as energy_j:
            deadline = time.perf_counter() + job.seconds
            while len(latency_ms) < job.runs:
                batch = batch_of(frames, len(latency_ms), job.batch)
                run_started, spent = time.perf_counter(), time.process_time()
                if len(latency_ms) >= LEAST_RUNS and run_started > deadline:
                    break
                engine.run(batch)
                latency_ms.append(1e3 * (time.perf_counter() - run_started))
                processor_ms.append(1e3 * (time.process_time() - spent))
    return Timed(
        latency_ms=tuple(latency_ms),
        processor_ms=tuple(processor_ms),
        open_s=open_s,
        peak_mb=peak_memory_mb(),
        before_mb=before_mb,
        energy_j=energy_j,
    )


def batch_of(frames: npt.NDArray[np.uint8], number: int, batch: int) -> npt.NDArray[np.uint8]:
    """The `number`-th batch of frames [K, H, W, 3], beginning again after the last: uint8 [batch, H, W, 3]."""
    chosen = np.arange(number * batch, (number + 1) * batch) % len(frames)
    return np.ascontiguousarray(frames[chosen])
