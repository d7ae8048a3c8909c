"""One counted cell, and the tally of a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell in pixels of the picture it was found in.

    `x`, `y` are its centre; `width`, `height` its bounding box's sides; `score` from 0 to 1; `in_frame` says
    whether the counting-frame rule counts it (cells that touch the left or top edge are in, right or bottom out).
    """

    class_id: int
    x: float
    y: float
    width: float
    height: float
    score: float
    in_frame: bool


@dataclass(frozen=True)
class Tally:
    """Cells per class id: all that are visible, and those the counting frame takes in."""

    visible: dict[int, int]
    in_frame: dict[int, int]


def tally(cells: list[Cell], countable_ids: tuple[int, ...]) -> Tally:
    """Count cells per class; every countable class has an entry, also where it is 0."""
    visible = dict.fromkeys(countable_ids, 0)
    in_frame = dict.fromkeys(countable_ids, 0)
    for cell in cells:
        visible[cell.class_id] += 1
        in_frame[cell.class_id] += cell.in_frame
    return Tally(visible, in_frame)
