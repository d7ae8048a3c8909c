"""Which session a person means on the command line."""

from __future__ import annotations

from hemonode.errors import UnknownNameError
from hemonode.runtime.record.store import SessionStore
from hemonode.runtime.record.told import RecordedSession

LAST = "last"


def the_session(store: SessionStore, named: str) -> RecordedSession:
    """The session with an id, or the only one whose id begins so; "last" is the newest.

    Raises:
        UnknownNameError: there is none, or more than one.
        OutputError: the store cannot be read.
    """
    sessions = store.sessions()
    if named == LAST:
        if not sessions:
            raise UnknownNameError("nothing has been recorded yet.")
        return sessions[0]
    found = [session for session in sessions if session.id == named]
    found = found or [session for session in sessions if named and session.id.startswith(named)]
    if not found:
        raise UnknownNameError(f"there is no session {named}; hemonode sessions list shows those there are.")
    if len(found) > 1:
        raise UnknownNameError(f"{len(found)} sessions begin with {named}; write more of the id.")
    return found[0]
