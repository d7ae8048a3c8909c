"""One tally of one sample, picture by picture: placed on the map, judged, and counted where it adds enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.classes import countable_names
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.status import QualityStatus, TallyStatus
from hemonode.runtime.tally.census import Census, inset_px
from hemonode.runtime.tally.field import CountedField
from hemonode.runtime.tally.landmarks import Landmarks
from hemonode.runtime.tally.ledger import Goal, Ledger
from hemonode.runtime.tally.rest import Rest
from hemonode.runtime.tally.shot import Shot
from hemonode.runtime.tally.standing import Standing
from hemonode.runtime.tally.tracker import Place, Tracker

ENOUGH_SHARE = 1 / 3
"""A picture is counted when so much of what it covers is new, or"""
RESTING_SHARE = 0.05
"""so much, when the view rests, or"""
LEAVING_SHARE = 0.02
"""so much, when the tally pauses or ends, or the view goes elsewhere. Less is left to the next picture there."""

# A part that came into view and goes out of it again is counted, when it is worth it, before it is gone.
_GOING_SHARE, _GONE = 0.1, 0.7
# A scale that was measured anew differs by less; by more, it is another lens.
_SAME_SCALE = 1.15

FULL = "As much as one tally keeps was counted: finish it, and start another."
OTHER_LENS = "The picture's size or scale changed. Resume counts on, on a place not counted before."
OTHER_CLASSES = "The model now in use has other classes. Finish this tally, and start another."


@dataclass(frozen=True)
class _Candidate:
    """The latest good picture, should it become the last of its place. `share`: of what it covers that is new."""

    result: Result
    shot: Shot
    place: Place | None
    share: float


class Survey:
    """A tally from its start to its end. Used by one thread at a time.

    Args:
        name: of the sample.
        classes: of the model.
        goal: what is worked towards.
        counted: cells by class id that there are from the start.
        fields: the area they were found in, in fields of view.
        keep: gets each field.
        log: is told of the turns.
    """

    def __init__(
        self,
        name: str,
        classes: Sequence[ClassRecord],
        goal: Goal,
        counted: Mapping[int, int],
        fields: float,
        keep: Callable[[CountedField], None],
        log: EventLog,
    ) -> None:
        self.finished = False
        self._name = name
        self._classes = countable_names(classes)
        self._goal = goal
        self._ledger = Ledger(classes, counted, fields)
        self._keep = keep
        self._log = log
        self._tracker = Tracker()
        self._census = Census(self._classes)
        self._rest = Rest()
        self._candidate: _Candidate | None = None
        self._first_map = fields == 0
        self._standing = Standing(self._tell)
        self._spent_s = 0.0
        self._since_s: float | None = time.monotonic()
        self._other_classes = False
        self._lens: tuple[tuple[int, int], float] | None = None
        self._tell(f"The tally of {name or 'a sample'} {'began' if self._first_map else 'goes on'}.")

    def consider(self, result: Result, quality: QualityStatus) -> None:
        """Take the next picture, already judged."""
        if self._since_s is None or self._standing.state == "full":
            return
        if self._is_other_lens(result):
            self.elsewhere(OTHER_LENS)
            return
        shot = Shot.of(result.frame.pixels, result.scale.red_cell_px, Landmarks.of(result.segmentation.cells))
        place = self._tracker.follow(shot) if self._tracker.begun else None
        if not quality.ok:
            self._standing.refuse(quality)
        elif place is None and self._tracker.begun:
            self._leave()
            self._standing.lose()
        else:
            self._standing.find()
            self._weigh(result, shot, place)

    def pause(self, message: str | None) -> None:
        """Count what is in view, and nothing more until `resume`."""
        if self._since_s is None:
            return
        self._leave()
        self._spent_s += time.monotonic() - self._since_s
        self._since_s = None
        self._tracker.forget_last()
        self._standing.be("paused", message)
        self._tell(message or "The tally paused.")

    def resume(self) -> None:
        """Go on counting.

        Raises:
            HemonodeError: the model has other classes now.
        """
        if self._other_classes:
            raise HemonodeError(OTHER_CLASSES)
        if self._since_s is not None:
            return
        self._since_s = time.monotonic()
        self._standing.be("counting")
        self._tell("The tally goes on.")

    def new_area(self) -> None:
        """What is in view now lies where nothing was counted."""
        self._leave()
        self._tracker.new_area()
        self._standing.find()
        self._tell("The tally goes on in a new area.")

    def elsewhere(self, message: str) -> None:
        """Pictures are of another camera or scale from now on: the map ends, and the tally pauses."""
        if self.finished:
            return
        self.pause(message)
        self._standing.be("paused", message)
        self._candidate = None
        self._tracker = Tracker()
        self._lens = None
        self._first_map = False

    def renew(self, classes: Sequence[ClassRecord]) -> None:
        """Another model."""
        self._other_classes = countable_names(classes) != self._classes
        if self._other_classes:
            self.pause(OTHER_CLASSES)

    def finish(self) -> None:
        """Count what is in view, and end. Again does nothing."""
        if self.finished:
            return
        self.pause(None)
        self.finished = True
        self._standing.be("off")
        self._tell(f"The tally of {self._name or 'a sample'} ended with {self._ledger.cells} cells.")

    def status(self) -> TallyStatus:
        """As it is now."""
        running_s = 0.0 if self._since_s is None else time.monotonic() - self._since_s
        return TallyStatus(
            state=self._standing.state,
            name=self._name,
            message=self._standing.message,
            fields=round(self._ledger.fields, 3),
            cells=self._ledger.cells,
            seconds=round(self._spent_s + running_s, 1),
            classes=self._ledger.classes(),
            refused=dict(self._standing.refused),
            goal_class=self._goal.class_id,
            goal_percent=self._goal.percent,
            goal_cells=self._goal.cells,
            progress=self._ledger.progress(self._goal),
            trend=self._ledger.trend(),
        )

    def _weigh(self, result: Result, shot: Shot, place: Place | None) -> None:
        """Count a good picture if it adds enough, else hold it until a better one comes."""
        if place is not None and self._tracker.joins(shot, place):
            self._candidate = None
            self._tell("The new area met one counted before: cells that both show may have been counted twice.")
            return
        share = 1.0 if place is None else self._new_share(shot, place)
        before = self._candidate
        if before is not None and before.share >= _GOING_SHARE and share < _GONE * before.share:
            self._count(before)
            share = 1.0 if place is None else self._new_share(shot, place)
        self._candidate = _Candidate(result, shot, place, share)
        corner = (0.0, 0.0) if place is None else place.position
        rests = self._rest.at(corner, result.frame.captured_ns, shot.size)
        if share >= ENOUGH_SHARE or (rests and share >= RESTING_SHARE):
            self._count(self._candidate)

    def _new_share(self, shot: Shot, place: Place) -> float:
        slide, inset = self._tracker.map, inset_px(shot.size, shot.red_cell_px)
        return self._census.new_share(slide, place.area, place.position, shot.size, inset)

    def _leave(self) -> None:
        """The view goes elsewhere: count what of it was not counted yet."""
        candidate, self._candidate = self._candidate, None
        if candidate is not None and candidate.share >= LEAVING_SHARE:
            self._count(candidate)

    def _count(self, candidate: _Candidate) -> None:
        self._candidate = None
        shot, tracker = candidate.shot, self._tracker
        place = None if candidate.place is None else tracker.renewed(candidate.place)
        area, corner = (tracker.area, (0.0, 0.0)) if place is None else (place.area, place.position)
        seen = shot.landmarks
        new = self._census.new(tracker.map, area, corner, seen, shot.size, shot.red_cell_px)
        counted = Landmarks(seen.class_ids[new.cells], seen.centres[new.cells])
        tracker.keep(shot, place, counted, inset_px(shot.size, shot.red_cell_px))
        counts = {number: int((counted.class_ids == number).sum()) for number in self._classes}
        fields = new.area_px2 / (shot.size[0] * shot.size[1])
        self._ledger.add(counts, fields)
        known, at = corner if self._first_map and area == 0 else None, candidate.result.frame.taken_at
        self._keep(CountedField("tallied", candidate.result, counts, at, position_px=known, area=fields))
        if tracker.map.full:
            self._standing.be("full", FULL)
            self._tell(FULL)

    def _is_other_lens(self, result: Result) -> bool:
        height, width = result.frame.pixels.shape[:2]
        lens = ((height, width), result.scale.red_cell_px)
        self._lens = self._lens or lens
        ratio = lens[1] / self._lens[1]
        return lens[0] != self._lens[0] or not 1 / _SAME_SCALE < ratio < _SAME_SCALE

    def _tell(self, message: str) -> None:
        self._log.add("tally", message, cells=self._ledger.cells, fields=round(self._ledger.fields, 2))
