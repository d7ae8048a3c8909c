"""Starts the process of a camera, hears what its driver says, and ends it, whatever it does."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

from hemonode.device.camera.child.channel import channel
from hemonode.device.camera.source import without_credentials

REAPED_WITHIN_S = 1.0
LONGEST_LINE_BYTES = 4096

logger = logging.getLogger(__name__)


class CameraProcess:
    """One process, in a session of its own: Ctrl-C does not reach it, and what it starts ends with it.

    Attributes:
        pictures: where pictures are asked for.
        questions: where controls are asked for.
        pid: its number.
    """

    def __init__(self) -> None:
        self.pictures, pictures = channel()
        self.questions, questions = channel()
        # Its end of this pipe tells it that we are gone, also where we could not say so.
        life, our_life = os.pipe()
        theirs = (pictures.fileno(), questions.fileno(), life)
        with ExitStack() as passed, ExitStack() as ours:
            passed.callback(pictures.close)
            passed.callback(questions.close)
            passed.callback(os.close, life)
            ours.callback(self.pictures.close)
            ours.callback(self.questions.close)
            ours.callback(os.close, our_life)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hemonode.device.camera.child", *map(str, theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=theirs,
                start_new_session=True,
                # A file numpy.py where we were started shall not take the place of the library.
                env=os.environ | {"PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"},
            )
            # Names it, where its number alone might be another's by then.
            self._handle = os.pidfd_open(self._process.pid)
            ours.callback(os.close, self._handle)
            self._ours = ours.pop_all()
        self.pid = self._process.pid
        self._listener = threading.Thread(target=self._listen, name="camera-log", daemon=True)
        self._listener.start()

    def end(self, grace_s: float) -> None:
        """Close the camera, and kill the process where it has not ended by then. Descriptors stay; see `close`."""
        self.pictures.shut()
        self.questions.shut()
        self._gone(grace_s)
        # Not reaped yet, so that the number is still its own. What it started ends with it.
        os.killpg(self.pid, signal.SIGKILL)
        if self._gone(REAPED_WITHIN_S):
            self._process.wait()

    def status(self, within_s: float) -> int | None:
        """Its exit status, negative for a signal; None where it runs on. For one that was not ended by us."""
        if not self._gone(within_s):
            return None
        told = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        assert told is not None
        return told.si_status if told.si_code == os.CLD_EXITED else -told.si_status

    def close(self) -> None:
        """Release all descriptors, once no thread uses the channels any more."""
        self._ours.close()
        self._listener.join(REAPED_WITHIN_S)

    def _gone(self, within_s: float) -> bool:
        waiting = select.poll()
        waiting.register(self._handle, select.POLLIN)
        return bool(waiting.poll(round(1000 * within_s)))

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in iter(lambda: output.readline(LONGEST_LINE_BYTES), b""):
                logger.info("%s", without_credentials(line.decode(errors="replace").rstrip()))


def died_of(status: int | None) -> str:
    """What an exit status tells, to follow "its process"."""
    if status is None:
        return "does not answer any more"
    if status == -signal.SIGKILL:
        return "was killed (SIGKILL), as Linux does when memory runs out"
    if status < 0:
        return f"crashed ({signal.Signals(-status).name})"
    return f"ended (status {status})"
