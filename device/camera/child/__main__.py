"""The process of one camera: `python -m hemonode.device.camera.child PICTURES QUESTIONS LIFE`, three descriptors."""

from __future__ import annotations

import faulthandler
import fcntl
import os
import select
import signal
import socket
import sys

from hemonode.device.camera.child.channel import Channel
from hemonode.device.camera.child.serve import ignore_signals, serve

SWITCH_S = 0.0005
"""Bindings of drivers keep the interpreter while they wait; a picture that came shall not wait as long as usual."""


def main(pictures: int, questions: int, life: int) -> None:
    """Serve until the other end is closed."""
    # Where a driver crashes, this tells in which call.
    faulthandler.enable()
    ignore_signals()
    sys.setswitchinterval(SWITCH_S)
    _die_with_parent(life)
    serve(Channel(socket.socket(fileno=pictures)), Channel(socket.socket(fileno=questions)))
    # Threads that wait in a driver, and what libraries do at an exit, could hold it up for ever.
    sys.stderr.flush()
    os._exit(0)


def _die_with_parent(life: int) -> None:
    """Have the kernel kill us when the parent's end of a pipe is gone, also while a driver holds the interpreter.

    PR_SET_PDEATHSIG would kill us already when the thread ends that started us.
    """
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    # It may have gone before the kernel was told.
    waiting = select.poll()
    waiting.register(life, select.POLLIN)
    if waiting.poll(0):
        os._exit(0)


if __name__ == "__main__":
    main(*(int(descriptor) for descriptor in sys.argv[1:]))
