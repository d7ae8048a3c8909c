"""The build process's end of the line to its parent. Needs no third-party package but pydantic.

Usage: `with ParentLine() as parent:` first of all, then `parent.request`, `parent.say(Progress(…))`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from types import TracebackType

from hemonode.runtime.plans.messages import Message
from hemonode.runtime.plans.request import BuildRequest

_PR_SET_PDEATHSIG = 1


class ParentLine:
    """Takes the request from standard input and keeps standard output for messages alone.

    Libraries print to standard output, too, even from C++: from now on that goes to standard error. The process dies
    with its parent, whatever it is doing.
    """

    def __init__(self) -> None:
        die_with_parent()
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(2, 1)
        self.request = BuildRequest.model_validate_json(sys.stdin.buffer.readline())

    def say(self, message: Message) -> None:
        """Send one message. Call it from one thread at a time.

        Raises:
            BrokenPipeError: the parent is gone.
        """
        self._out.write(message.model_dump_json() + "\n")
        self._out.flush()

    def __enter__(self) -> ParentLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.close()


def die_with_parent() -> None:
    """Let the kernel end this process when the thread that started it ends. On Linux; elsewhere nothing."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        # It ended while we asked; no signal will come for that.
        os.kill(os.getpid(), signal.SIGKILL)
