"""How many processor cores this program may use, and each lane's share of them."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Processor cores that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_per_lane(threads: int | None, lanes: int) -> int | None:
    """CPU threads for one call of `run` when `lanes` calls are in work at once; None leaves it to the library."""
    if threads is None and lanes == 1:
        return None
    return max(1, (threads or available_cores()) // lanes)
