"""Ask libraries in processes of their own: an import that crashes or hangs then takes nothing with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from types import TracebackType

from hemonode.runtime.doctor.machine import Answer

LONGEST_S = 60.0
"""After this a library is taken to hang. A first import from a slow card can take 20 s."""

LONGEST_TRIAL_S = 300.0
"""The same where an engine runs pictures."""


class Asker:
    """Asks questions and hands out the answers, each once. Used as a context manager.

    Args:
        at_once: questions of `hemonode.runtime.doctor.questions` to begin with, all at the same time.
    """

    def __init__(self, at_once: Iterable[str] = ()) -> None:
        self._children = {question: _start(question) for question in at_once}
        self._answers: dict[str, Answer] = {}

    def ask(self, question: str) -> Answer:
        """Wait for an answer; a question that was not among the first is asked now."""
        if question not in self._answers:
            if question not in self._children:
                self._children[question] = _start(question)
            child = self._children[question]
            self._answers[question] = _wait(child, LONGEST_TRIAL_S if question.startswith("trial ") else LONGEST_S)
        return self._answers[question]

    def __enter__(self) -> Asker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.kill()
            child.communicate()


def _wait(child: subprocess.Popen[str], longest_s: float) -> Answer:
    try:
        out, err = child.communicate(timeout=longest_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return Answer(trouble=f"it does not answer within {longest_s:.0f} s")
    try:
        return Answer(**json.loads(out))
    except ValueError:
        return Answer(trouble=_death(child.returncode, err))


def _start(question: str) -> subprocess.Popen[str]:
    # Without PYTHONSAFEPATH a file in the working folder could stand in for a library.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "hemonode.runtime.doctor.questions", *question.split()]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _death(status: int, said: str) -> str:
    if status < 0:
        return f"it crashes ({signal.Signals(-status).name})"
    last = said.strip().splitlines()[-1:] or [f"exit status {status}"]
    return f"it ends without an answer ({last[0]})"
