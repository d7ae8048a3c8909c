"""Runs a live view for hours under faults at random, and tells whether anything was lost or grows.

Run: python -m hemonode.benchmarks.live_soak --minutes 60      (--minutes 1440 for a day)
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from hemonode.benchmarks.chaos.bench import view_under_test
from hemonode.benchmarks.chaos.faults import FAULTS, Fault, Store
from hemonode.benchmarks.chaos.footprint import Footprint, footprint
from hemonode.benchmarks.chaos.ledger import counted_now, recorded, shortfall
from hemonode.benchmarks.chaos.program import Program
from hemonode.benchmarks.chaos.recovery import Recovery, break_and_time
from hemonode.benchmarks.machine import describe_machine
from hemonode.benchmarks.trend import find_trend
from hemonode.errors import HemonodeError

_SAMPLE_S = 2.0
_WARM_UP_S = 60.0
_MEAN_PAUSE_S = 30.0
_FEWEST_SAMPLES = 40


@dataclass
class Diary:
    """What a soak saw. `samples` by life of the program: each kill -9 begins a new one."""

    recoveries: list[Recovery] = field(default_factory=list)
    samples: list[list[tuple[float, Footprint]]] = field(default_factory=lambda: [[]])
    lost: int = 0
    counted: int = 0


def soak(program: Program, store: Store, seconds: float, chance: random.Random) -> Diary:
    """Let it run, break it now and then, and look at its footprint in between.

    Raises:
        HemonodeError: the program ended by itself.
    """
    diary, until_s = Diary(), time.monotonic() + seconds
    kinds = [fault for fault in FAULTS if store.own_disk or fault.name != "disk full"]
    while time.monotonic() < until_s:
        _rest(program, diary, min(chance.expovariate(1 / _MEAN_PAUSE_S), until_s - time.monotonic()))
        _break(program, store, chance.choice(kinds), diary)
    told = counted_now(program.status())
    session = str(program.status()["recorder"]["session"])
    program.stop()
    diary.counted = sum(told.values())
    diary.lost = max(diary.lost, shortfall(told, recorded(store, session)))
    return diary


def _rest(program: Program, diary: Diary, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        diary.samples[-1].append((time.monotonic(), footprint(program.pid)))
        time.sleep(min(_SAMPLE_S, max(0.0, until_s - time.monotonic())))


def _break(program: Program, store: Store, fault: Fault, diary: Diary) -> None:
    before = counted_now(program.status())
    recovery = break_and_time(program, fault, store)
    diary.recoveries.append(recovery)
    print(f"{fault.name}: {'not survived' if recovery.seconds is None else f'{recovery.seconds:.1f} s'}", flush=True)
    if fault.name == "killed":
        diary.samples.append([])
        # A kill may cost the field in work, which the tally told and the disk never saw.
        diary.lost += shortfall(before, counted_now(program.status()))


def as_markdown(diary: Diary) -> str:
    """Two tables: recoveries by fault, and trends of the longest life."""
    lines = ["| fault | times | well again after, median | worst |", "|---|---|---|---|"]
    for name, times in Counter(recovery.fault.name for recovery in diary.recoveries).items():
        took = [recovery.seconds for recovery in diary.recoveries if recovery.fault.name == name]
        known = [seconds for seconds in took if seconds is not None]
        worst = "**never**" if len(known) < len(took) else f"{max(known):.1f} s"
        lines.append(f"| {name} | {times} | {np.median(known) if known else float('nan'):.1f} s | {worst} |")
    return "\n".join([*lines, "", *_trends(diary)])


def _trends(diary: Diary) -> list[str]:
    longest = max(diary.samples, key=len)
    began_s = longest[0][0] if longest else 0.0
    settled = [(at_s, seen) for at_s, seen in longest if at_s - began_s > _WARM_UP_S]
    if len(settled) < _FEWEST_SAMPLES:
        return [f"Only {len(settled)} samples after the warm-up: too few for a trend."]
    at_h = [(at_s - began_s) / 3600 for at_s, _ in settled]
    lines = [
        f"Between kills, {(settled[-1][0] - settled[0][0]) / 60:.1f} minutes:",
        "",
        "| | median | first tenth | last tenth | change per hour (95 %) |",
        "|---|---|---|---|---|",
    ]
    for name in ("resident_mib", "open_files", "threads", "processes"):
        trend = find_trend(at_h, [getattr(seen, name) for _, seen in settled])
        lines.append(
            f"| {name.replace('_mib', ', MiB').replace('_', ' ')} | {trend.median:.1f} | {trend.first:.1f} | "
            f"{trend.last:.1f} | {trend.slope:+.2f} ({trend.low:+.2f} to {trend.high:+.2f}) |"
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 0, or 1 when a fault was not survived or a count was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--rate-hz", type=float, default=10.0, help="pictures a second (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the faults' order (default: 0)")
    parser.add_argument("--json", type=Path, help="also write every sample here")
    asked = parser.parse_args(arguments)
    machine = describe_machine()
    try:
        with view_under_test(asked.rate_hz, pictures=False) as (program, store, _):
            diary = soak(program, store, 60 * asked.minutes, random.Random(asked.seed))
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    print(f"\n{machine.processor}, {machine.cores} cores, load {machine.load:.2f} before the start\n")
    print(as_markdown(diary))
    print(f"\nCells told and not kept: {diary.lost} of {diary.counted}.")
    if asked.json is not None:
        lives = [[(at_s, asdict(seen)) for at_s, seen in life] for life in diary.samples]
        asked.json.write_text(json.dumps({"machine": asdict(machine), "lives": lives}) + "\n", encoding="utf-8")
    return 1 if diary.lost or any(recovery.seconds is None for recovery in diary.recoveries) else 0


if __name__ == "__main__":
    sys.exit(main())
