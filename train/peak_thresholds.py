"""Chooses from what score on a heat-map peak counts as a cell, one threshold per class, on training pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.errors import DatasetError
from hemonode.train.data.sample import Box
from hemonode.train.metrics.matching import gained_matches, near

LEAST_SCORE = 0.05
"""Peaks below are never cells; the network's lists end in hundreds of them."""
F1_TOLERANCE = 0.002
"""Thresholds whose F1 is within this of the best are as good as it: among them the counts decide."""


@dataclass(frozen=True)
class PicturePeaks:
    """One training picture's peaks and true cells, both in the same pixels.

    Attributes:
        peaks: float32 [K, 4], columns (class id, x, y, score), as in `runtime.prediction.Prediction.peaks[n]`.
        boxes: the true cells, scaled to the peaks' pixels.
        complete_ids: classes whose boxes are complete; the picture says nothing of the others.
    """

    peaks: npt.NDArray[np.float32]
    boxes: tuple[Box, ...]
    complete_ids: tuple[int, ...]


@dataclass(frozen=True)
class PeakCurve:
    """One class, at every score where something changes, falling. All arrays are float64 [T].

    `f1` pools the cells of all pictures; `bias` is (predicted − true) / true of the pooled counts.
    """

    thresholds: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    f1: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]


@dataclass(frozen=True)
class PeakThresholds:
    """Per class id: a peak of at least `thresholds[id]` is a cell; and the curve it was read from."""

    thresholds: dict[int, float]
    curves: dict[int, PeakCurve]


def choose_peak_thresholds(pictures: Sequence[PicturePeaks], class_ids: Sequence[int]) -> PeakThresholds:
    """The thresholds of best pooled F1; of those within `F1_TOLERANCE` of the best, the one of least count bias.

    Args:
        pictures: training pictures that the weights' validation figures are not taken from.
        class_ids: the countable classes.

    Raises:
        DatasetError: no picture has complete boxes of a class, or no peak matches any of them.
    """
    curves = {class_id: peak_curve(pictures, class_id) for class_id in class_ids}
    return PeakThresholds({class_id: _best(curve, class_id) for class_id, curve in curves.items()}, curves)


def peak_curve(pictures: Sequence[PicturePeaks], class_id: int) -> PeakCurve:
    """What every possible threshold would reach on one class, exactly.

    Matches are a maximum matching at each threshold (`train.metrics.matching`), found in one pass: a peak of lower
    score adds one pair or none to those of the peaks above it.

    Raises:
        DatasetError: no picture has complete boxes of the class.
    """
    scored = [_scored_gains(picture, class_id) for picture in pictures if class_id in picture.complete_ids]
    true = sum(
        box.class_id == class_id for picture in pictures if class_id in picture.complete_ids for box in picture.boxes
    )
    if not true:
        raise DatasetError(f"no training picture has complete boxes of class {class_id}; its threshold needs some.")
    scores = np.concatenate([score for score, _ in scored])
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    matched = np.cumsum(np.concatenate([gain for _, gain in scored])[order])
    predicted = np.arange(1, len(scores) + 1)
    # Peaks of equal score are counted together or not at all.
    last = np.append(scores[1:] < scores[:-1], True)[: len(scores)]
    matched, predicted = matched[last], predicted[last]
    return PeakCurve(
        thresholds=scores[last],
        precision=matched / predicted,
        recall=matched / true,
        f1=2 * matched / (predicted + true),
        bias=(predicted - true) / true,
    )


def _scored_gains(picture: PicturePeaks, class_id: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    peaks = np.asarray(picture.peaks, np.float64)
    own = peaks[(peaks[:, 0] == class_id) & (peaks[:, 3] >= LEAST_SCORE)]
    own = own[np.argsort(-own[:, 3], kind="stable")]
    boxes = [box for box in picture.boxes if box.class_id == class_id]
    return own[:, 3], gained_matches(near(own[:, 1:3], boxes))


def _best(curve: PeakCurve, class_id: int) -> float:
    if not len(curve.f1) or curve.f1.max() == 0:
        raise DatasetError(f"no peak lies on a true cell of class {class_id}; the network has not learnt it.")
    good = np.flatnonzero(curve.f1 >= curve.f1.max() - F1_TOLERANCE)
    chosen = good[np.argmin(np.abs(curve.bias[good]))]
    # Half way to the next lower score, so that rounding in another engine does not drop the last cell.
    below = curve.thresholds[chosen + 1] if chosen + 1 < len(curve.thresholds) else LEAST_SCORE
    return float((curve.thresholds[chosen] + below) / 2)
