"""Are the pixels right: accuracy, IoU and Dice from the confusion matrix summed over a data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from hemonode.errors import DatasetError
from hemonode.runtime.classes import BACKGROUND_ID, IGNORE_ID
from hemonode.train.metrics.interval import Estimate, Sums, bootstrap, ratio

Matrix = npt.NDArray[np.int64]


class ClassSegmentation(BaseModel):
    """One class: `accuracy` is the share of its true pixels that are predicted so (the papers' CPA)."""

    model_config = ConfigDict(frozen=True)

    class_id: int
    pixels: int
    accuracy: Estimate
    iou: Estimate
    dice: Estimate


class SegmentationResult(BaseModel):
    """All pictures that have masks.

    Attributes:
        pixels: labelled pixels in them.
        pixel_accuracy: share of these that are predicted right.
        miou: mean of the IoU of `classes`.
        classes: every class that a mask of the data set shows.
        as_background: classes the masks never show although the method may predict them: their pixels count as
            background, as the annotators, who left these cells unmarked, counted them.
    """

    model_config = ConfigDict(frozen=True)

    pictures: int
    pixels: int
    pixel_accuracy: Estimate
    miou: Estimate
    classes: tuple[ClassSegmentation, ...]
    as_background: tuple[int, ...]


def confusion_matrix(truth: npt.NDArray[np.uint8], predicted: npt.NDArray[np.uint8], size: int) -> Matrix:
    """How many pixels of each true class (rows) got each class id (columns); true 255 is left out.

    Args:
        truth: uint8 [H, W] class ids, 255 where unlabelled.
        predicted: uint8 [H, W] class ids.
        size: one more than the largest class id.

    Returns:
        int64 [size, size].

    Raises:
        DatasetError: the two differ in size, or hold an id that is not below `size`.
    """
    if truth.shape != predicted.shape:
        raise DatasetError(f"mask of {truth.shape} and prediction of {predicted.shape} pixels cannot be compared.")
    labelled = truth != IGNORE_ID
    rows, columns = truth[labelled].astype(np.int64), predicted[labelled].astype(np.int64)
    if rows.size and max(rows.max(), columns.max()) >= size:
        raise DatasetError(f"class id {max(rows.max(), columns.max())} is unknown; the classes end at {size - 1}.")
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def segmentation(matrices: Sequence[Matrix], predictable_ids: Sequence[int]) -> SegmentationResult:
    """Figures of the summed confusion matrix, with intervals over pictures.

    Args:
        matrices: each picture's confusion matrix, int64 [C, C]; at least one.
        predictable_ids: class ids the method can predict.
    """
    stack = np.stack(matrices)
    labelled = [int(index) for index in np.flatnonzero(stack.sum(axis=(0, 2)))]
    unlabelled = [index for index in sorted(predictable_ids) if index not in labelled]
    if BACKGROUND_ID in labelled:
        stack[:, :, BACKGROUND_ID] += stack[:, :, unlabelled].sum(axis=2)
        stack[:, :, unlabelled] = 0
    else:
        unlabelled = []
    hits = stack[:, labelled, labelled]
    true = stack.sum(axis=2)[:, labelled]
    predicted = stack.sum(axis=1)[:, labelled]
    return SegmentationResult(
        pictures=len(stack),
        pixels=int(true.sum()),
        pixel_accuracy=bootstrap(np.stack([hits.sum(axis=1), true.sum(axis=1)], axis=1), _share),
        miou=bootstrap(np.concatenate([hits, true, predicted], axis=1), _mean_iou),
        classes=tuple(
            _class_figures(class_id, np.stack([hits[:, index], true[:, index], predicted[:, index]], axis=1))
            for index, class_id in enumerate(labelled)
        ),
        as_background=tuple(unlabelled),
    )


def _class_figures(class_id: int, rows: Matrix) -> ClassSegmentation:
    return ClassSegmentation(
        class_id=class_id,
        pixels=int(rows[:, 1].sum()),
        accuracy=bootstrap(rows, _share),
        iou=bootstrap(rows, _mean_iou),
        dice=bootstrap(rows, _dice),
    )


def _share(sums: Sums) -> Sums:
    return ratio(sums[:, 0], sums[:, 1])


def _dice(sums: Sums) -> Sums:
    return ratio(2 * sums[:, 0], sums[:, 1] + sums[:, 2])


def _mean_iou(sums: Sums) -> Sums:
    """Of sums [n, 3·k]: the hits of k classes, then their true, then their predicted pixels."""
    hits, true, predicted = np.split(sums, 3, axis=1)
    return np.asarray(ratio(hits, true + predicted - hits).mean(axis=1), np.float64)
