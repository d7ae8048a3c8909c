"""Runs an engine for a long time and tells whether memory grows or frames take longer.

Run: python -m hemonode.benchmarks.soak --engine openvino --minutes 30
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.benchmarks.machine import describe_machine
from hemonode.benchmarks.trend import Trend, find_trend
from hemonode.device.smear import render_view
from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.engines import ENGINES
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.segment import Segmenter

_FRAMES = 16
"""Different pictures, again and again."""
_WARM_UP_S = 20.0
_SAMPLE_S = 1.0
_MIB = 1 << 20


COLUMNS = ("at_s", "resident_mib", "open_files", "threads", "wall_ms", "cpu_ms")
"""Of one sample: when it ended, memory, files and threads then, and medians of its frames."""


def soak(
    segmenter: Segmenter, pictures: Sequence[npt.NDArray[np.uint8]], red_cell_px: float, seconds: float
) -> npt.NDArray[np.float64]:
    """Segment pictures one after another, and sample once a second after the warm-up.

    Returns:
        float64 [samples, 6], with `COLUMNS`.
    """
    for number in range(_FRAMES):
        segmenter.segment(pictures[number % len(pictures)], red_cell_px=red_cell_px)
    _run(segmenter, pictures, red_cell_px, min(_WARM_UP_S, seconds / 10))
    # All at once: rows that were added one by one would look like a leak.
    samples = np.full((int(seconds / _SAMPLE_S) + 1, len(COLUMNS)), np.nan)
    started, count = time.monotonic(), 0
    while (elapsed := time.monotonic() - started) < seconds:
        wall_ms, cpu_ms = _run(segmenter, pictures, red_cell_px, _SAMPLE_S)
        samples[count] = elapsed, _resident_mib(), _count("fd"), _count("task"), wall_ms, cpu_ms
        count += 1
    return samples[:count]


def _run(
    segmenter: Segmenter, pictures: Sequence[npt.NDArray[np.uint8]], red_cell_px: float, seconds: float
) -> tuple[float, float]:
    """Median milliseconds per picture, on the clock and of the processor."""
    spent: list[tuple[float, float]] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        wall, cpu = time.perf_counter(), time.process_time()
        segmenter.segment(pictures[len(spent) % len(pictures)], red_cell_px=red_cell_px)
        spent.append((1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)))
    wall_ms, cpu_ms = np.median(spent, axis=0)
    return float(wall_ms), float(cpu_ms)


def as_markdown(what: str, samples: npt.NDArray[np.float64]) -> str:
    """A table of trends: what changed per hour, with its 95 % interval."""
    column = dict(zip(COLUMNS, samples.T, strict=True))
    at_h = column["at_s"] / 3600
    rows = {
        "resident memory, MiB": column["resident_mib"],
        "ms per picture": column["wall_ms"],
        "CPU-ms per picture": column["cpu_ms"],
        "open files": column["open_files"],
        "threads": column["threads"],
    }
    lines = [
        f"## {what}, {column['at_s'][-1] / 60:.1f} minutes",
        "",
        "| | median | first tenth | last tenth | change per hour (95 %) |",
        "|---|---|---|---|---|",
        *(_row(name, find_trend(at_h, values)) for name, values in rows.items()),
    ]
    return "\n".join(lines)


def _row(name: str, trend: Trend) -> str:
    return (
        f"| {name} | {trend.median:.2f} | {trend.first:.2f} | {trend.last:.2f} | "
        f"{trend.slope:+.2f} ({trend.low:+.2f} to {trend.high:+.2f}) |"
    )


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def _count(what: str) -> int:
    return sum(1 for _ in Path(f"/proc/self/{what}").iterdir())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 0, or 1 when something cannot be run as asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="model bundle (default: the shipped one)")
    parser.add_argument("--engine", default="auto", choices=("auto", *ENGINES))
    parser.add_argument("--precision", default="auto", choices=get_args(AskedPrecision))
    parser.add_argument("--setting", help="solver setting (default: the bundle's own)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: 1)")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default: 30)")
    parser.add_argument("--json", type=Path, help="also write every sample here")
    asked = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    machine = describe_machine()
    red_cell_px = 90.0
    try:
        with Segmenter(
            open_bundle(asked.bundle),
            engine=asked.engine,
            precision=asked.precision,
            setting=asked.setting,
            threads=asked.threads,
        ) as segmenter:
            pictures = [render_view(seed=seed, red_cell_px=red_cell_px).pixels for seed in range(_FRAMES)]
            samples = soak(segmenter, pictures, red_cell_px, 60 * asked.minutes)
            engine = segmenter.engine
            what = (
                f"{engine.name} ({engine.version}), {engine.precision}, {segmenter.setting}, threads: {asked.threads}"
            )
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    print(f"{machine.processor}, {machine.cores} cores, load {machine.load:.2f} before the start\n")
    print(as_markdown(what, samples))
    if asked.json is not None:
        figures = {"machine": asdict(machine), "what": what, "columns": COLUMNS, "samples": samples.tolist()}
        asked.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
