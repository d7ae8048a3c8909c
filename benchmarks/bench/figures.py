"""One line of the benchmark: everything that was measured of one contestant with one batch size."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from hemonode.benchmarks.bench.accuracy import Agreement
from hemonode.benchmarks.bench.contestant import Contestant, Record
from hemonode.benchmarks.bench.jobs import Timed

LEAST_FOR_P99 = 100
"""Timed runs; among fewer the 99th percentile would be the largest."""


class Latency(Record):
    """Milliseconds of one run, a whole batch.

    Attributes:
        runs: timed, over all rounds.
        p99_ms: None with fewer than 100 runs.
        processor_ms: median of what all threads together spent on a run.
        between_rounds: (largest − smallest) / median of the rounds' medians; None with one round.
    """

    runs: int
    p50_ms: float
    p90_ms: float
    p99_ms: float | None
    largest_ms: float
    processor_ms: float
    between_rounds: float | None


class Cost(Record):
    """What a contestant needs beside time.

    Attributes:
        evaluations: of f in one pass, all blocks together (NFE); of an adaptive solver, their mean over the frames.
        multiply_adds: of all convolutions, per frame.
        open_s: the first round's, from the first import of the engine's library to its first answer; nothing cached.
        graph_bytes: size of the setting's ONNX file; the weights lie beside it.
        peak_mb: largest resident memory of the process.
        engine_mb: what of that came with the engine: Python, NumPy and the frames taken off.
        energy_j: per frame, for each meter of the machine.
    """

    evaluations: float | None
    multiply_adds: float | None
    open_s: float
    graph_bytes: int | None
    peak_mb: float | None
    engine_mb: float | None
    energy_j: dict[str, float]


class Quality(Record):
    """What comes out.

    Attributes:
        state_error: largest over the blocks, ‖h − h_ref‖ / ‖h_ref − h(0)‖ over a whole picture, as the bundle records;
            of fp16 and int8 graphs with what rounding adds, at most.
        tile_error: the same over the worst 32 px tile.
        recorded_agreement: with the adaptive original in the worst picture, as the bundle records.
        agreement: with the adaptive original, measured in this run.
        miou: mean over data sets.
        count_accuracy: mean over data sets and classes.
    """

    state_error: float | None = None
    tile_error: float | None = None
    recorded_agreement: float | None = None
    agreement: Agreement | None = None
    miou: float | None = None
    count_accuracy: float | None = None


class Line(Record):
    """One contestant with one batch size.

    Attributes:
        times_faster: than the reference, per frame; see `ratios.py`.
        times_less_work: multiply-adds of the reference over its own.
    """

    contestant: Contestant
    batch: int
    latency: Latency
    cost: Cost
    quality: Quality
    times_faster: float | None = None
    times_less_work: float | None = None

    @property
    def frame_ms(self) -> float:
        """Median milliseconds per frame."""
        return self.latency.p50_ms / self.batch

    @property
    def frames_per_s(self) -> float:
        """At the median."""
        return 1e3 / self.frame_ms


def latency(rounds: Sequence[Timed]) -> Latency:
    """Percentiles over the runs of all rounds; at least one round."""
    runs = np.concatenate([timed.latency_ms for timed in rounds])
    medians = [median(timed.latency_ms) for timed in rounds]
    p50, p90, p99 = (float(value) for value in np.percentile(runs, (50, 90, 99)))
    return Latency(
        runs=len(runs),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99 if len(runs) >= LEAST_FOR_P99 else None,
        largest_ms=float(runs.max()),
        processor_ms=float(np.median(np.concatenate([timed.processor_ms for timed in rounds]))),
        between_rounds=(max(medians) - min(medians)) / median(medians) if len(medians) > 1 else None,
    )


def energy_per_frame(rounds: Sequence[Timed], batch: int) -> dict[str, float]:
    """Joules per frame of each meter: median over the rounds."""
    return {
        meter: median(timed.energy_j[meter] / (len(timed.latency_ms) * batch) for timed in rounds)
        for meter in rounds[0].energy_j
    }


def largest_memory(values: Sequence[float | None]) -> float | None:
    """The largest of the rounds, or None where the system does not tell."""
    return max((value for value in values if value is not None), default=None)
