"""How much memory the machine has, and how much is free."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hemonode.device.host.files import first_line, lines


@dataclass(frozen=True)
class Memory:
    """Bytes: in all, what programs could still take without swapping, and swap space in all."""

    total_bytes: int
    available_bytes: int
    swap_bytes: int


def read_memory(root: Path = Path("/")) -> Memory | None:
    """From Linux's /proc; None elsewhere."""
    told = {
        line.partition(":")[0]: int(line.split()[1]) * 1024
        for line in lines(root / "proc/meminfo")
        if line.endswith(" kB")
    }
    if "MemTotal" not in told or "MemAvailable" not in told:
        return None
    return Memory(told["MemTotal"], told["MemAvailable"], told.get("SwapTotal", 0))


def resident_bytes(root: Path = Path("/")) -> int | None:
    """Memory that this process takes, from Linux's /proc; None elsewhere."""
    told = (first_line(root / "proc/self/statm") or "").split()
    return int(told[1]) * os.sysconf("SC_PAGE_SIZE") if len(told) > 1 else None
