"""Keeps what is counted: one thread that writes fields, events and pictures, and loses none of the counts."""

from __future__ import annotations

from pathlib import Path

from hemonode.runtime.live.events import Event, EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.status import RecorderStatus
from hemonode.runtime.record.facts import InterruptedSession, SessionFacts
from hemonode.runtime.record.store import SessionStore
from hemonode.runtime.tally.field import CountedField

DEFAULT_BUDGET_BYTES = 50 << 30
"""Of pictures; the oldest are never deleted by themselves."""
DEFAULT_RESERVE_BYTES = 2 << 30
"""Free space that pictures leave to everything else."""


class Recorder:
    """Records sessions, one at a time.

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
        self.store = SessionStore(folder)

    def start(self) -> None:
        """Start the writer."""

    def request_stop(self) -> None:
        """Write what waits, then end; a session that is open stays open and can be proceeded with."""

    def join(self, deadline_s: float) -> bool:
        """Wait for the writer until a moment of the monotonic clock. False: fields are still waiting for the disk."""
        raise NotImplementedError

    def begin(self, facts: SessionFacts) -> str:
        """Begin a session; one that is open is finished first. At once, whatever the disk does.

        Returns:
            Its id: letters, digits and dashes.
        """
        raise NotImplementedError

    def proceed(self, session: str) -> None:
        """Go on with a session that was interrupted.

        Raises:
            UnknownNameError: there is none with that id.
            OutputError: it is being recorded, or cannot be read.
        """
        raise NotImplementedError

    def finish(self) -> None:
        """Finish the open session, if there is one."""

    def keep(self, field: CountedField, *, picture: bool) -> int:
        """Keep a field of the open session; returns at once.

        Args:
            field: counted; its result must not be changed any more.
            picture: whether to keep picture and mask, too, where there is room.

        Returns:
            Its id in the session.

        Raises:
            OutputError: no session is open.
        """
        raise NotImplementedError

    def note(self, event: Event) -> None:
        """Keep an event of the open session: a listener of `EventLog`."""

    def keep_pictures(self, wanted: bool) -> None:
        """Whether tallied fields are kept with their pictures; those counted by hand and snapshots always are."""

    def interrupted(self) -> InterruptedSession | None:
        """The latest session, if it was never finished and holds anything."""
        raise NotImplementedError

    def status(self) -> RecorderStatus:
        """How it fares. Touches no disk."""
        raise NotImplementedError
