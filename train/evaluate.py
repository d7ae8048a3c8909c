"""Runs a method over a split of a data set, and compares its masks, cells and counts with the labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from statistics import median

import numpy as np

from hemonode.errors import DatasetError, PictureError
from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.counting.frame_rule import in_counting_frame
from hemonode.runtime.segmentation import Segmentation
from hemonode.train.data.dataset import Dataset
from hemonode.train.data.sample import Box, Sample
from hemonode.train.metrics.counting import CountingResult, Rule, counting
from hemonode.train.metrics.detection import PictureMatches, detection, match_picture
from hemonode.train.metrics.method import Method
from hemonode.train.metrics.result import Evaluation
from hemonode.train.metrics.segmentation import Matrix, confusion_matrix, segmentation


class _Findings:
    """What is kept of each picture: a confusion matrix, matches and counts; never pixels."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.matrices: list[Matrix] = []
        self.matches: defaultdict[int, list[PictureMatches]] = defaultdict(list)
        self.counts: defaultdict[tuple[int, Rule], list[tuple[int, int]]] = defaultdict(list)
        self.scale_ratios: list[float] = []

    def add(self, sample: Sample, found: Segmentation) -> None:
        """Compare one picture with its labels."""
        self.scale_ratios.append(found.red_cell_px / sample.red_cell_px)
        if sample.mask is not None:
            self.matrices.append(confusion_matrix(sample.mask, found.class_ids, self.size))
        for class_id in sample.complete_ids:
            cells = [cell for cell in found.cells if cell.class_id == class_id]
            boxes = [box for box in sample.boxes or () if box.class_id == class_id]
            self.matches[class_id].append(match_picture(cells, boxes, class_id))
            self.counts[class_id, "visible"].append((len(cells), len(boxes)))
            self.counts[class_id, "in_frame"].append((_in_frame(cells), _boxes_in_frame(boxes, sample)))


def evaluate(
    method: Method, dataset: Dataset, split: str, *, on_picture: Callable[[], None] = lambda: None
) -> Evaluation:
    """Figures of a method on a split. One picture is in memory at a time.

    Args:
        method: what is evaluated.
        dataset: labelled pictures; those with masks give the segmentation, those with complete boxes cells and counts.
        split: its split's name.
        on_picture: called after each picture.

    Raises:
        DatasetError: no such split, broken labels, or classes that mean something else than the method's.
        PictureError, EngineError: a picture cannot be read or segmented; figures of the rest would be of other data.
    """
    entries = dataset.entries(split)
    names = _class_names(method, dataset)
    findings = _Findings(max(names) + 1)
    for entry in entries:
        sample = dataset.read(entry)
        try:
            found = method.segment(sample)
        except PictureError as error:
            raise PictureError(f"{entry.path}: {error}") from error
        findings.add(sample, found)
        on_picture()
    if not findings.matrices and not findings.matches:
        raise DatasetError(
            f"split {split!r} of {dataset.name} has neither masks nor complete boxes; there is nothing to compare with."
        )
    return Evaluation(
        method=method.name,
        details=method.details,
        dataset=dataset.name,
        licence=dataset.licence,
        split=split,
        pictures=len(entries),
        class_names=names,
        scale_ratio=median(findings.scale_ratios),
        segmentation=segmentation(findings.matrices, [entry.id for entry in method.classes])
        if findings.matrices
        else None,
        detection=tuple(detection(class_id, findings.matches[class_id]) for class_id in sorted(findings.matches)),
        counting=_countings(findings),
    )


def _countings(findings: _Findings) -> tuple[CountingResult, ...]:
    return tuple(
        counting(class_id, rule, counts)
        for (class_id, rule), counts in sorted(
            findings.counts.items(), key=lambda item: (item[0][0], item[0][1] != "visible")
        )
    )


def _class_names(method: Method, dataset: Dataset) -> dict[int, str]:
    own = {entry.id: entry.name for entry in method.classes}
    labelled = {entry.id: entry.name for entry in dataset.classes}
    for class_id in sorted(own.keys() & labelled.keys()):
        if own[class_id] != labelled[class_id]:
            raise DatasetError(
                f"class {class_id} is {labelled[class_id]} in {dataset.name} but {own[class_id]} in {method.name}; "
                "map the labels to the model's ids in the dataset.toml."
            )
    return dict(sorted({**labelled, **own}.items()))


def _in_frame(cells: list[Cell]) -> int:
    return sum(cell.in_frame for cell in cells)


def _boxes_in_frame(boxes: list[Box], sample: Sample) -> int:
    corners = np.array(
        [(b.x - b.width / 2, b.y - b.height / 2, b.x + b.width / 2, b.y + b.height / 2) for b in boxes], np.float64
    ).reshape(-1, 4)
    return int(in_counting_frame(corners, sample.pixels.shape[0], sample.pixels.shape[1]).sum())
