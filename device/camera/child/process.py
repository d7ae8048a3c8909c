"""Starts the process of a camera, hears what its driver says, and ends it, whatever it does."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import ExitStack, suppress

from hemonode.device.camera.child.channel import Channel, channel
from hemonode.device.camera.source import without_credentials

ENDS_WITHIN_S = 1.0
KEPT_LINES = 20

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
        life, self._life = os.pipe()
        theirs = (pictures.fileno(), questions.fileno(), life)
        try:
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
        except BaseException:
            self._close_ours()
            raise
        finally:
            pictures.close()
            questions.close()
            os.close(life)
        self.pid = self._process.pid
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._listener = threading.Thread(target=self._listen, name="camera-log", daemon=True)
        self._listener.start()

    def end(self, grace_s: float = ENDS_WITHIN_S) -> None:
        """Close the camera, and kill the process where it has not ended by then. Descriptors stay; see `close`."""
        self.pictures.shut()
        self.questions.shut()
        self.wait(grace_s)
        # Also what it started, and what still holds our end of its output.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait(ENDS_WITHIN_S)

    def wait(self, within_s: float) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Release all descriptors, once no thread uses the channels any more."""
        self._close_ours()
        self._listener.join(ENDS_WITHIN_S)
        if self._process.stdout is not None and not self._listener.is_alive():
            self._process.stdout.close()

    def last_words(self) -> str:
        """The last line that its driver wrote, or nothing."""
        return self._said[-1] if self._said else ""

    def _close_ours(self) -> None:
        with ExitStack() as owned:
            owned.callback(self.pictures.close)
            owned.callback(self.questions.close)
            owned.callback(os.close, self._life)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            text = without_credentials(line.decode(errors="replace").rstrip())
            self._said.append(text)
            logger.info("%s", text)


def died_of(status: int | None) -> str:
    """What an exit status tells, to follow "its process"."""
    if status is None:
        return "does not answer any more"
    if status == -signal.SIGKILL:
        return "was killed (SIGKILL), as Linux does when memory runs out"
    if status < 0:
        return f"crashed ({signal.Signals(-status).name})"
    return f"ended (status {status})"
