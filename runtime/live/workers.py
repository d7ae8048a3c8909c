"""Threads that carry frames; one that does not come back is given up, and another takes its place."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hemonode.runtime.live.joining import join_until

HUNG_LEAST_S, HUNG_TIMES_USUAL = 5.0, 10.0
"""A frame that takes so many times what nearly all take, and at least so long, will not come any more. A machine that
swaps, or a frame that waits for another engine, may take seconds."""

LATE_LEAST_S, LATE_TIMES_USUAL = 1.0, 4.0
"""And for one that takes so long the others' results wait no longer."""

FIRST_S = 60.0
"""While no frame has come through yet."""

MOST_GIVEN_UP = 8
"""Threads that never come back keep what they hold; with more of them there is nothing left to save."""

_LOOK_EVERY_S = 0.1


@dataclass
class Worker:
    """One thread, and the frame that it has in work.

    Attributes:
        number: of its place.
        ticket: of its frame; None where it has none.
        since_s: when that was begun, monotonic clock.
        given_up: nobody waits for it any more, and another has its place.
    """

    number: int
    thread: threading.Thread | None = None
    ticket: int | None = None
    since_s: float = 0.0
    given_up: bool = False

    def begin(self, ticket: int) -> None:
        """It has a frame."""
        self.since_s = time.monotonic()
        self.ticket = ticket

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self.thread is not None and self.thread.is_alive()


class Workers:
    """For any thread.

    Args:
        count: threads that work.
        work: carries frames until its worker is given up or all shall stop.
        late: called with the ticket of a frame that others wait for too long; may be called again and again.
        let_go: called with the identity of a thread that does not come back; False where it must be waited for.
        hung: called with a ticket and its age when its worker was given up.
    """

    def __init__(
        self,
        count: int,
        work: Callable[[Worker], None],
        *,
        late: Callable[[int], None],
        let_go: Callable[[int], bool],
        hung: Callable[[int, float], None],
    ) -> None:
        self._work = work
        self._late, self._let_go, self._hung = late, let_go, hung
        self._stopping = threading.Event()
        self._spent_s: deque[float] = deque(maxlen=128)
        self._workers = [Worker(number) for number in range(count)]
        self._given_up: list[Worker] = []
        self._watch = threading.Thread(target=self._look, name="worker watch", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        for worker in self._workers:
            self._start(worker)
        self._watch.start()

    def request_stop(self) -> None:
        """Start no new ones."""
        self._stopping.set()

    def join(self, deadline_s: float) -> bool:
        """Wait until a monotonic time. False: one is still at work, or was given up and never came back."""
        join_until(self._watch, deadline_s)
        everyone = [*self._workers, *self._given_up]
        ended = [join_until(worker.thread, deadline_s) for worker in everyone]
        return all(ended)

    def done(self, worker: Worker) -> None:
        """Its frame came through."""
        worker.ticket = None
        self._spent_s.append(time.monotonic() - worker.since_s)

    def limits_s(self) -> tuple[float, float]:
        """Seconds after which a frame in work is late, and after which it is hung."""
        spent = list(self._spent_s)
        if not spent:
            return FIRST_S, FIRST_S
        usual_s = float(np.percentile(spent, 99))
        return max(LATE_LEAST_S, LATE_TIMES_USUAL * usual_s), max(HUNG_LEAST_S, HUNG_TIMES_USUAL * usual_s)

    def _start(self, worker: Worker) -> None:
        name = f"worker-{worker.number}"
        worker.thread = threading.Thread(target=self._work, args=(worker,), name=name, daemon=True)
        worker.thread.start()

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            late_s, hung_s = self.limits_s()
            for place, worker in enumerate(self._workers):
                ticket, age_s = worker.ticket, time.monotonic() - worker.since_s
                if ticket is not None and age_s > late_s:
                    self._late(ticket)
                if ticket is not None and age_s > hung_s:
                    self._replace(place, worker, ticket, age_s)

    def _replace(self, place: int, worker: Worker, ticket: int, age_s: float) -> None:
        self._given_up = [lost for lost in self._given_up if lost.alive]
        thread = worker.thread
        if thread is None or thread.ident is None or len(self._given_up) >= MOST_GIVEN_UP:
            return
        if not self._let_go(thread.ident):
            return
        # Should it come back in this moment: it ends after the frame that it may have taken since.
        worker.given_up = True
        self._given_up.append(worker)
        self._workers[place] = Worker(worker.number)
        self._start(self._workers[place])
        self._hung(ticket, age_s)
