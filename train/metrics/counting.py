"""Are the counts right, picture by picture: accuracy, mean absolute error and bias.

A total over all pictures is not given: errors of opposite sign cancel in it, and hide a bad counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hemonode.train.metrics.interval import Estimate, Sums, bootstrap, ratio

Rule = Literal["visible", "in_frame"]
"""Every visible cell, or those the counting frame takes in (left and top edges in, right and bottom out)."""


class CountingResult(BaseModel):
    """One class in all pictures where its boxes are complete.

    Attributes:
        pictures: how many there are; error and bias are means over all of them.
        pictures_with_cells: pictures with at least one true cell; accuracy is the mean over these.
        accuracy: mean of 1 − |predicted − true| / true. Not clipped: a count above twice the truth is below 0.
        mean_absolute_error: cells per picture.
        bias: mean of predicted − true, cells per picture.
    """

    model_config = ConfigDict(frozen=True)

    class_id: int
    rule: Rule
    pictures: int
    pictures_with_cells: int
    true: int
    predicted: int
    accuracy: Estimate
    mean_absolute_error: Estimate
    bias: Estimate


def counting(class_id: int, rule: Rule, counts: Sequence[tuple[int, int]]) -> CountingResult:
    """Figures from each picture's (predicted, true) number of cells, with intervals over pictures."""
    rows = np.array(counts, np.float64).reshape(-1, 2)
    predicted, true = rows[:, 0], rows[:, 1]
    with_cells = true > 0
    accuracy = np.where(with_cells, 1 - ratio(np.abs(predicted - true), true), 0.0)
    per_picture = np.stack(
        [accuracy, with_cells, np.abs(predicted - true), predicted - true, np.ones_like(true)], axis=1
    )
    return CountingResult(
        class_id=class_id,
        rule=rule,
        pictures=len(rows),
        pictures_with_cells=int(with_cells.sum()),
        true=int(true.sum()),
        predicted=int(predicted.sum()),
        accuracy=bootstrap(per_picture, _accuracy),
        mean_absolute_error=bootstrap(per_picture, _error),
        bias=bootstrap(per_picture, _bias),
    )


def _accuracy(sums: Sums) -> Sums:
    return ratio(sums[:, 0], sums[:, 1])


def _error(sums: Sums) -> Sums:
    return ratio(sums[:, 2], sums[:, 4])


def _bias(sums: Sums) -> Sums:
    return ratio(sums[:, 3], sums[:, 4])
