"""Keeps what is counted: nothing that a disk does makes the callers wait, or loses a count."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from pathlib import Path

from hemonode.errors import OutputError
from hemonode.runtime.live.events import Event, EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.status import RecorderState, RecorderStatus
from hemonode.runtime.record.disk import DiskGuard
from hemonode.runtime.record.facts import InterruptedSession, SessionFacts
from hemonode.runtime.record.places import Places
from hemonode.runtime.record.rows import EventRow, field_row
from hemonode.runtime.record.session import Holding, OpenSession, new_session_id
from hemonode.runtime.record.store import SessionStore
from hemonode.runtime.record.told import facts_of
from hemonode.runtime.record.waiting import Entry, Waiting
from hemonode.runtime.record.writer import Writer
from hemonode.runtime.tally.field import CountedField

DEFAULT_BUDGET_BYTES = 50 << 30
"""Of pictures; none is ever deleted by itself."""
DEFAULT_RESERVE_BYTES = 2 << 30
"""Free space that pictures leave to everything else."""

_SETTLE_S = 1.0


class Recorder:
    """Records sessions, one at a time. For any thread.

    Args:
        folder: of the store; made where it is missing.
        log: is told when pictures stop, when the disk fails, and when all is well again.
        faults: of all parts.
        budget_bytes: pictures of all sessions together may take so much.
        reserve_bytes: free space below which no picture is kept.
    """

    name = "recorder"

    def __init__(
        self,
        folder: Path,
        log: EventLog,
        faults: FaultLog,
        *,
        budget_bytes: int = DEFAULT_BUDGET_BYTES,
        reserve_bytes: int = DEFAULT_RESERVE_BYTES,
    ) -> None:
        places = Places(folder)
        self.store = SessionStore(folder, self._settle)
        self._waiting = Waiting()
        self._guard = DiskGuard(folder, budget_bytes, reserve_bytes)
        self._holding = Holding(places.locks)
        self._writer = Writer(places, self._waiting, self._guard, self._holding, log, faults)
        self._lock = threading.Lock()
        self._session: OpenSession | None = None
        self._keeps_pictures = True

    def start(self) -> None:
        """Start the writer. A full disk, a locked or damaged store are survived and told.

        Raises:
            OutputError: nothing can ever be written there: no rights, no folder, or a newer hemonode's store.
        """
        self._writer.start()

    def request_stop(self) -> None:
        """Write what waits, then end; a session that is open stays unfinished and can be proceeded with."""
        with self._lock:
            self._session = None
        self._writer.request_stop()

    def join(self, deadline_s: float) -> bool:
        """Wait for the end until a moment of the monotonic clock. False: the disk did not take all that waited."""
        return self._writer.join(deadline_s)

    def begin(self, facts: SessionFacts) -> str:
        """Begin a session; one that is open is finished first. At once, whatever the disk does.

        Returns:
            Its id: letters, digits and dashes.
        """
        session = OpenSession(new_session_id(), facts)
        with self._lock:
            self._finish()
            self._open(session)
        return session.id

    def proceed(self, session: str) -> None:
        """Go on with a session that was interrupted; one that is open is finished first.

        Raises:
            UnknownNameError: there is none with that id.
            OutputError: it is being recorded, was finished, or cannot be read.
        """
        before = self.store.session(session)
        if before.state != "interrupted":
            raise OutputError(f"The session of {before.name} is not interrupted; begin a new one.")
        try:
            mine = self._holding.hold(session)
        except OSError as error:
            raise OutputError(f"{self._holding.folder} cannot be written ({error.strerror}); make room.") from error
        if not mine:
            raise OutputError(f"The session of {before.name} is recorded by another hemonode now.")
        with self._lock:
            self._finish()
            self._open(OpenSession(session, facts_of(before), before))

    def finish(self) -> None:
        """Finish the open session, if there is one."""
        with self._lock:
            self._finish()

    def keep(self, field: CountedField, *, picture: bool) -> int:
        """Keep a field of the open session; returns at once.

        Args:
            field: counted; its result must not be changed any more.
            picture: whether to keep picture and mask, too: where there is room and, of tallied fields, where wanted.

        Returns:
            Its id in the session.

        Raises:
            OutputError: no session is open.
        """
        with self._lock:
            session = self._session
            if session is None:
                raise OutputError("No session is open to keep a field in; start a tally first.")
            wanted = picture and (self._keeps_pictures or field.kind != "tallied")
            number = session.next_number()
            row = field_row(field, number, session.seconds(), session.facts.um_per_px)
            self._waiting.add(Entry(session, row, field if wanted else None))
            return number

    def note(self, event: Event) -> None:
        """Keep an event of the open session: a listener of `EventLog`."""
        with self._lock:
            session = self._session
        if session is not None and session.takes_event():
            self._waiting.add(Entry(session, event=EventRow(event, session.seconds())))

    def keep_pictures(self, wanted: bool) -> None:
        """Whether tallied fields are kept with their pictures; those counted by hand and snapshots always are."""
        self._keeps_pictures = wanted

    def interrupted(self) -> InterruptedSession | None:
        """The latest session that nobody writes, if it was never finished and holds anything.

        Raises:
            OutputError: the store cannot be read.
        """
        return self.store.interrupted()

    def status(self) -> RecorderStatus:
        """How it fares. Touches no disk."""
        session, guard = self._session, self._guard
        return RecorderStatus(
            state=self._state(session),
            session=session.id if session else None,
            fields=session.fields if session else 0,
            pictures=session.pictures if session else 0,
            waiting=self._waiting.fields,
            used_bytes=guard.used_bytes,
            budget_bytes=guard.budget_bytes,
            free_bytes=guard.free_bytes,
            keeps_pictures=self._keeps_pictures,
            message=self._message(),
        )

    def _settle(self) -> None:
        # Whoever was told of a session or field can ask for it at once; not of a disk that takes nothing.
        if self._writer.trouble is None:
            self._waiting.settle(_SETTLE_S)

    def _state(self, session: OpenSession | None) -> RecorderState:
        if self._writer.trouble is not None:
            return "failing"
        if session is None:
            return "off"
        return "recording" if self._writer.no_pictures is None else "without_pictures"

    def _message(self) -> str | None:
        trouble, waiting = self._writer.trouble, self._waiting
        if trouble is not None:
            let_go = (
                f" Of {waiting.cells_let_go} the places of their cells were let go." if waiting.cells_let_go else ""
            )
            return f"{trouble} {waiting.fields} fields wait in memory.{let_go}"
        if self._writer.no_pictures is not None:
            return f"Pictures are not kept: {self._writer.no_pictures}. Counts are."
        if waiting.pictures_let_go:
            return f"The disk was too slow for {waiting.pictures_let_go} pictures; all counts are kept."
        return None

    def _open(self, session: OpenSession) -> None:
        self._session = session
        self._waiting.add(Entry(session))

    def _finish(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._waiting.add(Entry(session, ended=datetime.now(timezone.utc), seconds=session.seconds()))
