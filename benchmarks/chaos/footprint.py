"""Memory, open files and threads of a program and of all that it has started."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hemonode.benchmarks.chaos.program import descendants

_MIB = 1 << 20


@dataclass(frozen=True)
class Footprint:
    """At one moment; the program and its children together."""

    resident_mib: float
    open_files: int
    threads: int
    processes: int


def footprint(pid: int) -> Footprint:
    """Of a running program.

    Raises:
        OSError: it ended.
    """
    pids = [pid, *descendants(pid)]
    pages = sum(int(Path(f"/proc/{one}/statm").read_text(encoding="ascii").split()[1]) for one in pids)
    return Footprint(
        resident_mib=pages * os.sysconf("SC_PAGE_SIZE") / _MIB,
        open_files=sum(_entries(one, "fd") for one in pids),
        threads=sum(_entries(one, "task") for one in pids),
        processes=len(pids),
    )


def _entries(pid: int, folder: str) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/{folder}").iterdir())
