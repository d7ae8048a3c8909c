"""The running tally: judges each picture, finds where it lies, and counts the cells that are new, on its own thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.classes import countable_names
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.status import LiveCount, QualityStatus, TallyStatus
from hemonode.runtime.tally.field import CountedField
from hemonode.runtime.tally.ledger import Goal, Ledger, usual_goal_class
from hemonode.runtime.tally.quality import Quality
from hemonode.runtime.tally.smoothing import LiveCounts
from hemonode.runtime.tally.survey import Survey
from hemonode.runtime.tally.turns import Turns

POLL_S = 0.1
LEAST_S = 0.04
"""From picture to picture. No hand moves a slide so fast that more of them would tell more."""
USUAL_GOAL_PERCENT = 10.0
GOES_ON = "Move the slide to a place not counted yet; Resume counts on from there."
ORIGIN = "tally"
"""Of its faults and events."""


class TallyKeeper:
    """A sink that keeps the tally; it takes the latest picture when it has time, and never makes the pipeline wait.

    Args:
        classes: of the model.
        log: is told when a tally starts, pauses, is lost, …
        faults: is told what goes wrong inside.
        keep: gets each counted field, under the tally's lock and in order: return at once, and hold no lock of your own
            when you call the tally.
        goal_percent: half width that is wanted unless a tally begins with another one, percent of the count.
        goal_class: id of the class it speaks of; white cells, or the first, where the model has no such class.
    """

    name = ORIGIN

    def __init__(
        self,
        classes: Sequence[ClassRecord],
        log: EventLog,
        faults: FaultLog,
        keep: Callable[[CountedField], None],
        *,
        goal_percent: float = USUAL_GOAL_PERCENT,
        goal_class: int | None = None,
    ) -> None:
        self._classes = tuple(classes)
        self._log = log
        self._faults = faults
        self._keep = keep
        self._results = Mailbox[Result]()
        self._live = LiveCounts()
        self._quality = Quality(self._classes)
        self._judged: QualityStatus | None = None
        self._survey: Survey | None = None
        self._goal = Goal(usual_goal_class(self._classes), goal_percent)
        self._goal = self.goal(goal_percent, goal_class)
        self._since_ns = 0
        self._lock = Turns()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tally", daemon=True)

    def start(self) -> None:
        """Begin to judge pictures; nothing is counted before `begin`."""
        self._thread.start()

    def request_stop(self) -> None:
        """Stop after the picture in work."""
        self._stopping.set()
        self._results.close()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: still at work."""
        return join_until(self._thread, deadline_s)

    def accept(self, result: Result) -> None:
        """Take a result; the one before, if it still waits, is left out."""
        if self._is_of_another_camera(result):
            return
        self._live.add(result)
        self._results.put(result)

    def begin(
        self,
        name: str,
        goal_percent: float | None = None,
        goal_class: int | None = None,
        counted: Mapping[int, int] | None = None,
        area: float = 0.0,
    ) -> None:
        """Start a tally; one in work is finished.

        Args:
            name: of the sample.
            goal_percent: half width that is wanted, percent of the count; None keeps the one before.
            goal_class: id of the class it speaks of; None keeps the one before.
            counted: cells by class id that an interrupted tally had; it is paused, until the slide lies elsewhere.
            area: that they were found in, in fields of view.

        Raises:
            HemonodeError: the goal makes no sense.
        """
        with self._lock:
            goal = self.goal(goal_percent, goal_class)
            if self._survey is not None:
                self._survey.finish()
            self._goal = goal
            self._survey = Survey(name, self._classes, goal, counted or {}, area, self._keep, self._log)
            if counted:
                # Where the view was is not known any more; what lies under it now may be counted already.
                self._survey.elsewhere(GOES_ON)

    def pause(self) -> None:
        """Count nothing until `resume`. Without a tally, or again, it does nothing."""
        with self._lock:
            if self._survey is not None:
                self._survey.pause(None)

    def resume(self) -> None:
        """Go on counting.

        Raises:
            HemonodeError: there is no tally, or the model has other classes now.
        """
        with self._lock:
            self._running("resumed").resume()

    def new_area(self) -> None:
        """What is in view was not counted before: go on here.

        Raises:
            HemonodeError: there is no tally.
        """
        with self._lock:
            self._running("continued elsewhere").new_area()

    def finish(self) -> None:
        """Count what is in view and not counted yet, and end the tally. Its figures stay until the next begins."""
        with self._lock:
            if self._survey is not None:
                self._survey.finish()

    def source_changed(self) -> None:
        """Another camera: nothing that is known of the place or the sharpness holds; a tally pauses."""
        with self._lock:
            self._since_ns = time.monotonic_ns()
            self._live.clear()
            self._quality.forget()
            self._judged = None
            if self._survey is not None:
                self._survey.elsewhere("Another camera was chosen. Resume counts on, on a place not counted before.")

    def renew(self, classes: Sequence[ClassRecord]) -> None:
        """Another model. A tally goes on where it knows the same classes, and pauses for good where not."""
        with self._lock:
            self._classes = tuple(classes)
            self._live.clear()
            self._quality = Quality(self._classes)
            if self._goal.class_id not in countable_names(self._classes):
                self._goal = Goal(usual_goal_class(self._classes), self._goal.percent)
                named = countable_names(self._classes).get(self._goal.class_id, "nothing")
                self._log.add("tally", f"The model has no class that tallies aimed at; they aim at {named} now.")
            if self._survey is not None:
                self._survey.renew(self._classes)

    def status(self) -> TallyStatus:
        """The tally, or an empty one where none was begun."""
        with self._lock:
            if self._survey is not None:
                return self._survey.status()
            return _no_tally(self._classes, self._goal)

    def quality(self) -> QualityStatus | None:
        """Whether cells can be judged in the latest picture; None before the first."""
        return self._judged

    def counts(self) -> tuple[LiveCount, ...]:
        """Cells in view now, by class."""
        return self._live.counts()

    def _run(self) -> None:
        while not self._stopping.is_set():
            result = self._results.take(POLL_S)
            if result is None:
                continue
            began_s = time.monotonic()
            try:
                self._consider(result)
            except Exception as error:  # one picture's fault must not end the tally; the page shows it
                self._faults.report(ORIGIN, error)
            self._stopping.wait(max(0.0, began_s + LEAST_S - time.monotonic()))

    def _consider(self, result: Result) -> None:
        with self._lock:
            if self._is_of_another_camera(result):
                return
            self._judged = self._quality.judge(result)
            if self._survey is not None:
                self._survey.consider(result, self._judged)

    def _is_of_another_camera(self, result: Result) -> bool:
        """Whether it was in work when the source changed."""
        return result.frame.captured_ns < self._since_ns

    def _running(self, wanted: str) -> Survey:
        if self._survey is None or self._survey.finished:
            raise HemonodeError(f"There is no tally that could be {wanted}; start one.")
        return self._survey

    def goal(self, percent: float | None, class_id: int | None) -> Goal:
        """What a tally begun with these would aim at; None keeps what was.

        Raises:
            HemonodeError: the goal makes no sense.
        """
        goal = Goal(
            self._goal.class_id if class_id is None else class_id, self._goal.percent if percent is None else percent
        )
        if goal.class_id not in countable_names(self._classes):
            known = ", ".join(f"{number} {name}" for number, name in countable_names(self._classes).items())
            raise HemonodeError(f"The model counts no class {goal.class_id}; a tally can aim at {known or 'none'}.")
        if not 0.5 <= goal.percent <= 100:
            raise HemonodeError(f"A goal of ±{goal.percent:g} % cannot be worked towards; give 0.5 to 100 %.")
        return goal


def _no_tally(classes: Sequence[ClassRecord], goal: Goal) -> TallyStatus:
    return TallyStatus(
        state="off",
        name="",
        message=None,
        fields=0.0,
        cells=0,
        seconds=0.0,
        classes=Ledger(classes, {}, 0.0).classes(),
        refused={},
        goal_class=goal.class_id,
        goal_percent=goal.percent,
        goal_cells=goal.cells,
        progress=0.0,
        trend=(),
    )
