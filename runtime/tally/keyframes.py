"""The pictures that make the map of a slide: where each lies, what it covers, which of its cells were counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.runtime.tally.coverage import Rectangles
from hemonode.runtime.tally.landmarks import Landmarks
from hemonode.runtime.tally.settle import Link, settle
from hemonode.runtime.tally.shot import Shot

MOST_KEYFRAMES = 3000
"""About 25 kB each, so 75 MB in all: a thousand fields, five times what a differential takes."""

# Positions that agree with all their links to this are left alone.
_SETTLED_PX = 1.0


@dataclass(frozen=True)
class KeyFrame:
    """A picture of the map.

    Attributes:
        shot: to register others against.
        counted: its cells that were counted.
        inset_px: how far from its edges the part that it covers begins; None where it only links others.
        travelled_px: length of the way on which it was reached; drift grows with it.
    """

    shot: Shot
    counted: Landmarks
    inset_px: float | None
    travelled_px: float


class KeyFrames:
    """All pictures of a map that hang together somehow; each area of them has coordinates of its own.

    Positions are px of the camera's pictures.
    """

    def __init__(self) -> None:
        self.frames: list[KeyFrame] = []
        self.areas: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.positions: npt.NDArray[np.float64] = np.zeros((0, 2))
        self._links: list[Link] = []

    @property
    def full(self) -> bool:
        """Whether no more are kept."""
        return len(self.frames) >= MOST_KEYFRAMES

    def add(self, frame: KeyFrame, area: int, position: tuple[float, float], links: Sequence[Link]) -> int:
        """Take a picture in, and move all of its area to where the links agree best.

        Args:
            frame: the picture.
            area: number of the area it lies in.
            position: of its corner.
            links: from earlier pictures to it; their `later` is its number, which is `len(frames)`.

        Returns:
            Its number.
        """
        number = len(self.frames)
        self.frames.append(frame)
        self.areas = np.append(self.areas, area)
        self.positions = np.concatenate([self.positions, [position]])
        self._links.extend(links)
        if any(self._strain_px(link) > _SETTLED_PX for link in links):
            self._settle(area)
        return number

    def join(self, area: int, to: int, by: tuple[float, float], link: Link) -> None:
        """An area turned out to be part of another: move it there."""
        chosen = self.areas == area
        self.positions[chosen] += by
        self.areas[chosen] = to
        self._links.append(link)

    def overlaps(self, area: int, position: tuple[float, float], size: tuple[int, int]) -> npt.NDArray[np.float64]:
        """Share of a picture at `position` that each picture also shows, float [n]; 0 in other areas."""
        apart = np.abs(self.positions - position)
        shares = np.clip(1 - apart / (size[1], size[0]), 0, None).prod(axis=1)
        return np.where(self.areas == area, shares, 0.0)

    def covering(self, near: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Rectangles]:
        """Those of the pictures that cover something, and what they cover, float [m, 4]."""
        kept = np.array([n for n in near if self.frames[n].inset_px is not None], np.int64)
        return kept, np.array([self._covers(n) for n in kept]).reshape(-1, 4)

    def counted_near(self, near: npt.NDArray[np.int64]) -> Landmarks:
        """Cells that were counted in the pictures, at their places on the map."""
        parts = [(self.frames[n].counted, self.positions[n]) for n in near]
        ids = [part.class_ids for part, _ in parts]
        centres = [part.centres + position for part, position in parts]
        return Landmarks(np.concatenate([np.zeros(0, np.int64), *ids]), np.concatenate([np.zeros((0, 2)), *centres]))

    def _covers(self, number: int) -> npt.NDArray[np.float64]:
        frame = self.frames[number]
        left, top = self.positions[number]
        height, width = frame.shot.size
        return covered_part((left, top), (height, width), frame.inset_px or 0.0)

    def _strain_px(self, link: Link) -> float:
        seen = self.positions[link.later] - self.positions[link.earlier]
        return float(np.hypot(*(seen - (link.x, link.y))))

    def _settle(self, area: int) -> None:
        members = np.flatnonzero(self.areas == area)
        place = np.full(len(self.areas), -1)
        place[members] = np.arange(len(members))
        links = [
            link._replace(earlier=int(place[link.earlier]), later=int(place[link.later]))
            for link in self._links
            if place[link.later] >= 0
        ]
        self.positions[members] = settle(self.positions[members], links)


def covered_part(corner: tuple[float, float], size: tuple[int, int], inset_px: float) -> npt.NDArray[np.float64]:
    """What a picture at `corner` covers, float [4]: left, top, right, bottom."""
    left, top = corner
    height, width = size
    return np.array([left + inset_px, top + inset_px, left + width - inset_px, top + height - inset_px])
