"""Waiting for a thread until a moment, as every part of a live view does when it stops."""

from __future__ import annotations

import threading
import time


def join_until(thread: threading.Thread | None, deadline_s: float) -> bool:
    """Wait for a thread until a moment of the monotonic clock; one that was never started has ended.

    Returns:
        False: it still runs, and is left behind.
    """
    if thread is None or thread.ident is None:
        return True
    thread.join(max(0.0, deadline_s - time.monotonic()))
    return not thread.is_alive()
