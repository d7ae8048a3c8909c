"""Breaks a running live view in every way there is a fault for, and times its recovery.

Run: python -m hemonode.benchmarks.live_faults
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from hemonode.benchmarks.chaos.bench import view_under_test
from hemonode.benchmarks.chaos.faults import FAULTS
from hemonode.benchmarks.chaos.ledger import counted_now, recorded, shortfall
from hemonode.benchmarks.chaos.recovery import Recovery, break_and_time
from hemonode.benchmarks.machine import describe_machine
from hemonode.errors import HemonodeError


def as_markdown(recoveries: Sequence[Recovery]) -> str:
    """A table: what went wrong, how long until all was well again, and what the view said meanwhile."""
    rows = [
        f"| {recovery.fault.what} | {_seconds(recovery.seconds)} | {recovery.longest_gap_s:.1f} s | "
        f"{'; '.join(sentence.replace(chr(10), ' ') for sentence in recovery.told) or '–'} |"
        for recovery in recoveries
    ]
    head = ["| fault | well again after | longest without a result | told |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _seconds(seconds: float | None) -> str:
    return "**never**" if seconds is None else f"{seconds:.1f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 0, or 1 when a fault was not survived or a count was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fault", action="append", choices=[fault.name for fault in FAULTS], help="only these")
    parser.add_argument("--rate-hz", type=float, default=10.0, help="pictures a second (default: 10)")
    parser.add_argument("--log", type=Path, help="keep the view's log here")
    asked = parser.parse_args(arguments)
    machine = describe_machine()
    recoveries, lost = [], 0
    try:
        with view_under_test(asked.rate_hz) as (program, store, log):
            for fault in FAULTS:
                if asked.fault and fault.name not in asked.fault:
                    continue
                if fault.name == "disk full" and not store.own_disk:
                    print("left out: a full disk needs the right to mount one", file=sys.stderr)
                    continue
                recoveries.append(break_and_time(program, fault, store))
                print(f"{fault.name}: {_seconds(recoveries[-1].seconds)}", file=sys.stderr, flush=True)
            told = counted_now(program.status())
            session = program.status()["recorder"]["session"]
            stopped_s = program.stop()
            lost = shortfall(told, recorded(store, session))
            if asked.log is not None:
                shutil.copy(log, asked.log)
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    print(f"{machine.processor}, {machine.cores} cores, load {machine.load:.2f} before the start\n")
    print(as_markdown(recoveries))
    print(f"\nCells told and not kept: {lost} of {sum(told.values())}. Stopped within {stopped_s:.1f} s.")
    return 1 if lost or any(recovery.seconds is None for recovery in recoveries) else 0


if __name__ == "__main__":
    sys.exit(main())
