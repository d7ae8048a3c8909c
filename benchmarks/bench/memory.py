"""The most memory that this process has held so far."""

from __future__ import annotations

from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_memory_mb() -> float | None:
    """Largest resident set of this process in 10^6 bytes, or None where Linux's /proc does not tell it.

    `getrusage` is no substitute: on Linux its maximum outlives exec, so that a child starts with its parent's.
    """
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None
