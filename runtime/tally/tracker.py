"""Where the view lies on the map of what was seen: followed from picture to picture, lost, and found again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemonode.runtime.tally.keyframes import KeyFrame, KeyFrames
from hemonode.runtime.tally.landmarks import Landmarks
from hemonode.runtime.tally.register import Expected, Shift, register
from hemonode.runtime.tally.settle import Link
from hemonode.runtime.tally.shot import Shot

_NEIGHBOURS_TRIED = 3
_SEARCHED = 6
_OTHERS_SEARCHED = 2
"""Pictures of the map that are compared with each new one, 0.6 ms each: nearby, while lost, and from other areas."""

_SURE = 0.45
"""Correlation times the root of the overlap, at least, where a place is one of many tried: 3,155 wrong pairs of real
fields reached 0.36."""

_LINKS = 4
_LINK_OVERLAP = 0.1
# Within so many red cells, and this share of the way between, an earlier picture is looked for where it should lie.
_DRIFT_CELLS, _DRIFT_SHARE = 0.5, 0.01


@dataclass(frozen=True)
class Place:
    """Where a picture lies: corner (x, y) px on the map, in an area, as seen from one picture of the map."""

    area: int
    x: float
    y: float
    reference: int
    shift: Shift

    @property
    def position(self) -> tuple[float, float]:
        """(x, y) px."""
        return self.x, self.y


class Tracker:
    """Follows the view over a map, to which only that is added which `keep` is told, or which the way needs.

    Attributes:
        map: what was seen.
        area: number of the one in work.
    """

    def __init__(self) -> None:
        self.map = KeyFrames()
        self.area = 0
        self._place: Place | None = None
        self._last: tuple[Shot, Place] | None = None
        self._lost = False
        self._searched = 0
        self._found: int | None = None

    @property
    def begun(self) -> bool:
        """Whether the area in work has a picture."""
        return bool((self.map.areas == self.area).any())

    def new_area(self) -> None:
        """What comes next lies where nothing was counted before."""
        self.area = int(self.map.areas.max(initial=-1)) + 1
        self.forget_last()
        self._place = None
        self._lost = False

    def forget_last(self) -> None:
        """Pictures were left out: the next one need not lie near the last."""
        self._last = None

    def follow(self, shot: Shot) -> Place | None:
        """Where a picture lies; None where that is not certain."""
        place = self._by_search(shot) if self._lost else self._by_neighbours(shot) or self._by_last(shot)
        if place is None:
            self._searched = self._searched if self._lost else 0
        else:
            self._place, self._last, self.area = place, (shot, place), place.area
        self._lost = place is None
        return place

    def keep(self, shot: Shot, place: Place | None, counted: Landmarks, inset_px: float | None) -> int:
        """Make a picture part of the map, and give its number; `place` is None for the first one of an area."""
        number = len(self.map.frames)
        if place is None:
            frame = KeyFrame(shot, counted, inset_px, 0.0)
            return self.map.add(frame, self.area, (0.0, 0.0), [])
        place = self.renewed(place)
        step = float(np.hypot(place.shift.x, place.shift.y))
        travelled = self.map.frames[place.reference].travelled_px + step
        links = self._links(shot, place, travelled, number)
        return self.map.add(KeyFrame(shot, counted, inset_px, travelled), place.area, place.position, links)

    def renewed(self, place: Place) -> Place:
        """The same place, where the map has it now: it moves a little when loops close."""
        return self._placed(place.reference, place.shift)

    def joins(self, shot: Shot, place: Place) -> bool:
        """Whether a placed picture also shows an earlier area, which then takes this one's place on the map.

        Looks at a few pictures of the other areas with each call.
        """
        others = np.flatnonzero(self.map.areas != place.area)
        self._searched += _OTHERS_SEARCHED
        for number in np.roll(others, -self._searched)[:_OTHERS_SEARCHED]:
            shift = register(self.map.frames[number].shot, shot)
            if shift is not None and shift.strength >= _SURE:
                self._join(int(number), shift, place)
                return True
        return False

    def _join(self, number: int, shift: Shift, place: Place) -> None:
        to, corner = int(self.map.areas[number]), self.map.positions[number] + (shift.x, shift.y)
        by = corner - np.array(place.position)
        link = Link(number, place.reference, shift.x - place.shift.x, shift.y - place.shift.y, shift.overlap**2)
        self.map.join(place.area, to, (float(by[0]), float(by[1])), link)
        self.area = to
        self._place = self._placed(place.reference, place.shift)
        self._last = None

    def _by_neighbours(self, shot: Shot) -> Place | None:
        """From the pictures of the map that lie nearest to where the view was."""
        for number in self._nearest()[:_NEIGHBOURS_TRIED]:
            shift = register(self.map.frames[number].shot, shot)
            if shift is not None:
                return self._placed(number, shift)
        return None

    def _nearest(self) -> list[int]:
        """Pictures of the area, those that show most of where the view was first."""
        members = np.flatnonzero(self.map.areas == self.area)
        if self._place is None:
            return [int(number) for number in members[::-1]]
        apart = self.map.positions[members] - self._place.position
        return [int(number) for number in members[np.argsort((apart**2).sum(axis=1), kind="stable")]]

    def _by_last(self, shot: Shot) -> Place | None:
        """From the picture just before, which then becomes part of the map: the view moves fast."""
        if self._last is None or self.map.full:
            return None
        last, place = self._last
        shift = register(last, shot)
        if shift is None:
            return None
        return self._placed(self.keep(last, place, Landmarks.of(()), inset_px=None), shift)

    def _by_search(self, shot: Shot) -> Place | None:
        """Anywhere on the map, nearest to where the view was lost first, some with each picture.

        So many places are tried that one is believed only when it agrees very well, or with two pictures in a row.
        """
        found, self._found = self._found, None
        for number in ([] if found is None else [found]) + self._search_order():
            shift = register(self.map.frames[number].shot, shot)
            if shift is None:
                continue
            if number == found or shift.strength >= _SURE:
                return self._placed(number, shift)
            self._found = number
        return None

    def _search_order(self) -> list[int]:
        near = self._nearest()
        others = [int(number) for number in np.flatnonzero(self.map.areas != self.area)]
        far = near[_NEIGHBOURS_TRIED:] + others
        start = self._searched % max(1, len(far))
        self._searched += _SEARCHED
        return near[:_NEIGHBOURS_TRIED] + (far[start:] + far[:start])[:_SEARCHED]

    def _placed(self, number: int, shift: Shift) -> Place:
        x, y = self.map.positions[number] + (shift.x, shift.y)
        return Place(int(self.map.areas[number]), float(x), float(y), number, shift)

    def _links(self, shot: Shot, place: Place, travelled_px: float, number: int) -> list[Link]:
        """To the picture it was placed by, and to others that it should overlap: so loops close."""
        links = [Link(place.reference, number, place.shift.x, place.shift.y, place.shift.overlap**2)]
        overlaps = self.map.overlaps(place.area, place.position, shot.size)
        overlaps[place.reference] = 0
        for other in np.argsort(-overlaps, kind="stable")[:_LINKS]:
            if overlaps[other] < _LINK_OVERLAP:
                break
            earlier = self.map.frames[other]
            x, y = np.array(place.position) - self.map.positions[other]
            drift = _DRIFT_CELLS * shot.red_cell_px + _DRIFT_SHARE * abs(travelled_px - earlier.travelled_px)
            shift = register(earlier.shot, shot, Expected(float(x), float(y), drift))
            if shift is not None:
                links.append(Link(int(other), number, shift.x, shift.y, shift.overlap**2))
        return links
