"""A session that is being recorded: its numbers, its clock, and the lock that says that somebody writes it."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from hemonode.runtime.record.facts import SessionFacts
from hemonode.runtime.record.told import RecordedSession

_EVENTS_KEPT = 20_000
"""Of one session: a fault that comes back each second for days would fill the disk that counts need."""


class OpenSession:
    """One session in the hands of a recorder. For any thread.

    Args:
        session: its id.
        facts: of it.
        before: what was recorded of it before; None: it begins.
    """

    def __init__(self, session: str, facts: SessionFacts, before: RecordedSession | None = None) -> None:
        self.id = session
        self.facts = facts
        self.started = before.started if before else datetime.now(timezone.utc)
        self.fields = before.last_field if before else 0
        self.pictures = before.pictures if before else 0
        self._events = 0
        self._before_s = before.seconds if before else 0.0
        self._begun_ns = time.monotonic_ns()
        self._lock = threading.Lock()

    def next_number(self) -> int:
        """The number of a new field."""
        with self._lock:
            self.fields += 1
            return self.fields

    def kept_picture(self) -> None:
        """One more picture was written."""
        with self._lock:
            self.pictures += 1

    def seconds(self) -> float:
        """Recorded so far, by the steady clock: never falls, whatever is done to the wall clock."""
        return round(self._before_s + (time.monotonic_ns() - self._begun_ns) / 1e9, 3)

    def takes_event(self) -> bool:
        """Whether one more event is kept."""
        with self._lock:
            self._events += 1
            return self._events <= _EVENTS_KEPT


def new_session_id() -> str:
    """Sorts by wall clock for a person who looks at the folder; unique without it."""
    return f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


class Holding:
    """Locks of the sessions that this process writes; the kernel lets them go when it dies, however it dies.

    Args:
        folder: of the lock files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[str, FileLock] = {}

    def hold(self, session: str) -> bool:
        """Hold a session from now on. False: another process has it.

        Raises:
            OSError: the lock file cannot be made.
        """
        if session in self._held:
            return True
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / f"{session}.lock", thread_local=False)
        try:
            # Somebody who asks whether it is held has it for a moment.
            lock.acquire(timeout=0.2)
        except Timeout:
            return False
        except NotImplementedError as error:
            # What filelock before 3.21 raises on a file system without locks.
            raise OSError(None, "its file system knows no locks") from error
        self._held[session] = lock
        return True

    def release(self, session: str, *, finished: bool) -> None:
        """Let a session go; of a finished one nobody will ask again."""
        lock = self._held.pop(session, None)
        if lock is None:
            return
        if finished:
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()

    def release_all(self) -> None:
        """Let all go, as they are."""
        for session in tuple(self._held):
            self.release(session, finished=False)


def is_held(folder: Path, session: str) -> bool:
    """Whether somebody, this process included, writes a session now. Leaves no trace.

    Args:
        folder: of the lock files.
        session: its id.
    """
    path = folder / f"{session}.lock"
    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        # A read-only disk, or one without locks: nobody can be known to write there.
        return False
    lock.release()
    return False
