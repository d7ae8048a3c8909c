"""One builder for each plan, among all processes; the kernel frees the lock of a process that dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hemonode.errors import InterruptedByUser

_ASK_AGAIN_S = 0.2


@contextmanager
def held(path: Path, *, waiting: Callable[[], None], stop: threading.Event | None) -> Iterator[None]:
    """Hold a lock during the block, after as long as it takes to get it.

    Args:
        path: of the lock file, which stays: removing it would let two processes hold two files of one name.
        waiting: called once, if somebody else holds it.
        stop: ends the waiting.

    Raises:
        InterruptedByUser: `stop` was set meanwhile.
        OSError: the lock file cannot be made, or this file system knows no locks.
    """
    lock = _file_lock(path)
    # A sweep may have it for a moment.
    if not _try(lock, _ASK_AGAIN_S):
        waiting()
        while not _try(lock, _ASK_AGAIN_S):
            if stop is not None and stop.is_set():
                raise InterruptedByUser("stopped while another process was building the engine.")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Hold a lock during the block if nobody does; yields whether it is held.

    Raises:
        OSError: see `held`.
    """
    lock = _file_lock(path)
    got = _try(lock)
    try:
        yield got
    finally:
        if got:
            lock.release()


def _file_lock(path: Path) -> FileLock:
    # Not per thread: whichever thread ends a build releases it.
    return FileLock(path, thread_local=False)


def _try(lock: FileLock, seconds: float = 0) -> bool:
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return False
    except NotImplementedError as error:
        # What filelock before 3.21 raises on a file system without flock.
        raise OSError(None, "its file system knows no locks") from error
    return True
