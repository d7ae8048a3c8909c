"""Are the right cells found: precision, recall and F1 of cell centres, pooled over pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from hemonode.runtime.counting.cells import Cell
from hemonode.train.data.sample import Box
from hemonode.train.metrics.interval import Estimate, Sums, bootstrap, ratio
from hemonode.train.metrics.matching import gained_matches, near


@dataclass(frozen=True)
class PictureMatches:
    """One class in one picture: pairs of a predicted and a true cell, and how many there are of each."""

    matched: int
    predicted: int
    true: int


class DetectionResult(BaseModel):
    """One class in all pictures where its boxes are complete; figures pool the cells of all pictures."""

    model_config = ConfigDict(frozen=True)

    class_id: int
    pictures: int
    matched: int
    predicted: int
    true: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


def match_picture(cells: Sequence[Cell], boxes: Sequence[Box], class_id: int) -> PictureMatches:
    """Match the cells of one class with its boxes, both in pixels of the picture."""
    own_cells = [cell for cell in cells if cell.class_id == class_id]
    own_boxes = [box for box in boxes if box.class_id == class_id]
    centres = np.array([(cell.x, cell.y) for cell in own_cells], np.float64).reshape(-1, 2)
    matched = int(gained_matches(near(centres, own_boxes)).sum())
    return PictureMatches(matched, len(own_cells), len(own_boxes))


def detection(class_id: int, pictures: Sequence[PictureMatches]) -> DetectionResult:
    """Pool the matches of one class over pictures, with intervals over pictures."""
    rows = np.array([(one.matched, one.predicted, one.true) for one in pictures], np.int64).reshape(-1, 3)
    matched, predicted, true = (int(total) for total in rows.sum(axis=0))
    return DetectionResult(
        class_id=class_id,
        pictures=len(pictures),
        matched=matched,
        predicted=predicted,
        true=true,
        precision=bootstrap(rows, _precision),
        recall=bootstrap(rows, _recall),
        f1=bootstrap(rows, f1),
    )


def _precision(sums: Sums) -> Sums:
    return ratio(sums[:, 0], sums[:, 1])


def _recall(sums: Sums) -> Sums:
    return ratio(sums[:, 0], sums[:, 2])


def f1(sums: Sums) -> Sums:
    """2·matched / (predicted + true) of sums [n, 3] in that order: the harmonic mean of precision and recall."""
    return ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2])
