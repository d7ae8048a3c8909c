"""How far TensorRT's builder is: its nested phases as one count that only rises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from hemonode.runtime.plans.messages import Progress

STEPS = 1000
"""Of one outermost phase; its inner phases move it by fractions of its own steps."""

CANCELLED = "the build was cancelled; nothing is left of it."


@dataclass
class _Phase:
    name: str
    steps: int
    done: int = 0


class PhaseTree:
    """Follows the builder's phases. One thread at a time.

    Args:
        tell: takes each progress that differs from the last.
    """

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._open: list[_Phase] = []
        self._last: Progress | None = None

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase begins, inside `parent` or as the outermost one."""
        self._drop_down_to(parent)
        self._open.append(_Phase(name, max(steps, 1)))
        self._report()

    def step(self, name: str, step: int) -> None:
        """A phase has finished the step of this number, counted from 0."""
        self._drop_down_to(name)
        if self._open:
            self._open[-1].done = min(step + 1, self._open[-1].steps)
            self._report()

    def finish(self, name: str) -> None:
        """A phase has ended, perhaps before its last step."""
        self._drop_down_to(name)
        if self._open:
            self._open[-1].done = self._open[-1].steps
            self._report()
            self._open.pop()

    def _drop_down_to(self, name: str | None) -> None:
        """Forget phases inside the named one that never said that they ended; all where it is unknown."""
        while self._open and self._open[-1].name != name:
            self._open.pop()

    def _report(self) -> None:
        share = 0.0
        for phase in reversed(self._open):
            share = min((phase.done + share) / phase.steps, 1.0)
        now = Progress(phase=self._open[0].name, step=int(STEPS * share), steps=STEPS)
        if self._last is not None and self._last.phase == now.phase and now.step < self._last.step:
            # A step that began anew, or phases told out of order: what was reached stays reached.
            return
        if now != self._last:
            self._last = now
            self._tell(now)


class Stop:
    """A wish to end the build, and whether anything between the kernels looks at it.

    Attributes:
        heeded: the builder has a monitor that asks; otherwise only ending the process ends it.
    """

    def __init__(self) -> None:
        self.heeded = False
        self._asked = threading.Event()

    def ask(self) -> None:
        """End the build as soon as may be."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked.is_set()
