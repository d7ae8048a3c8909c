"""Whether there is room for pictures: a budget for all of them together, and free space that is left to the rest."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from hemonode.runtime.plans.words import size_text

_RESUME_SHARE = 0.02
"""Of budget and reserve, that must be free again before pictures go on: they would else stop and go on at each one."""

_AFTER_REFUSAL_S = 10.0
"""Until the next try, where the disk failed although it seemed to have room."""


class DiskGuard:
    """Judges by what is used and free. The writer asks it; anybody may read its figures.

    Args:
        folder: that must be there when it is looked at.
        budget_bytes: all pictures together.
        reserve_bytes: of free space.
    """

    def __init__(self, folder: Path, budget_bytes: int, reserve_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.reserve_bytes = reserve_bytes
        self.used_bytes = 0
        self.free_bytes: int | None = None
        self._folder = folder
        self._full = False
        self._refusal = ""
        self._refused_until_s = 0.0
        self._lock = threading.Lock()

    def look(self, used_bytes: int | None = None) -> str | None:
        """Why no picture can be kept now, or None.

        Args:
            used_bytes: by all pictures, counted anew; None keeps what is known.

        Raises:
            OSError: the folder is not there.
        """
        free = shutil.disk_usage(self._folder).free
        with self._lock:
            self.free_bytes = free
            if used_bytes is not None:
                self.used_bytes = used_bytes
            why_not = self._judge(free)
            self._full = why_not is not None
            return why_not

    def wrote(self, count: int) -> None:
        """So many bytes of pictures were written."""
        with self._lock:
            self.used_bytes += count

    def refused(self, error: OSError) -> None:
        """The disk took no picture, whatever it says of free space: a quota, say."""
        with self._lock:
            self._refusal = f"the disk took no picture ({error.strerror})"
            self._refused_until_s = time.monotonic() + _AFTER_REFUSAL_S

    def _judge(self, free: int) -> str | None:
        if time.monotonic() < self._refused_until_s:
            return self._refusal
        margin = _RESUME_SHARE if self._full else 0.0
        if free < self.reserve_bytes * (1 + margin):
            return f"{size_text(free)} are free on the disk, and {size_text(self.reserve_bytes)} are kept in reserve"
        if self.used_bytes > self.budget_bytes * (1 - margin):
            return (
                f"the pictures take {size_text(self.used_bytes)}, and {size_text(self.budget_bytes)} are their budget"
            )
        return None
