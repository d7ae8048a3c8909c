"""Accuracy of one contestant on labelled pictures, and its masks and counts for comparison with others."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.benchmarks.bench.jobs import Judged, Judging
from hemonode.benchmarks.bench.opening import ContestantSegmenter, bundle_of, open_contestant
from hemonode.runtime.classes import CellClass
from hemonode.runtime.counting.cells import tally
from hemonode.runtime.segmentation import Segmentation
from hemonode.train.data.dataset import Dataset, Entry
from hemonode.train.data.sample import Sample
from hemonode.train.data.spread import spread
from hemonode.train.evaluate import evaluate
from hemonode.train.metrics.method import BundleMethod
from hemonode.train.metrics.run import open_datasets


class PartOf(Dataset):
    """At most so many pictures of one split of a data set."""

    def __init__(self, dataset: Dataset, split: str, most: int | None) -> None:
        super().__init__(dataset.description, dataset.root)
        self._chosen = spread(dataset.entries(split), most)

    def entries(self, split: str | None = None) -> list[Entry]:  # noqa: ARG002  (there is only one)
        """The chosen pictures."""
        return self._chosen


class _Keeping:
    """A method that keeps what it found in each picture."""

    def __init__(self, method: BundleMethod, name: str) -> None:
        self._method = method
        self.name = name
        self.names: list[str] = []
        self.masks: list[npt.NDArray[np.uint8]] = []
        self.counts: list[dict[int, int]] = []

    @property
    def details(self) -> dict[str, str]:
        return self._method.details

    @property
    def classes(self) -> tuple[CellClass, ...]:
        return self._method.classes

    def segment(self, sample: Sample) -> Segmentation:
        found = self._method.segment(sample)
        countable = tuple(entry.id for entry in self.classes if entry.countable)
        self.names.append(sample.name)
        self.masks.append(found.class_ids)
        self.counts.append(tally(list(found.cells), countable).visible)
        return found


def judge(job: Judging) -> Judged:
    """See `Judging` and `Judged`.

    Raises:
        HemonodeError: the contestant cannot be opened, or a picture cannot be segmented.
    """
    cv2.setNumThreads(job.ground.threads)
    bundle = bundle_of(job.contestant, job.ground)
    opener = ContestantSegmenter(bundle, lambda shape: open_contestant(job.contestant, job.ground, bundle, shape))
    with opener as segmenter:
        method = _Keeping(BundleMethod(segmenter), str(job.contestant))
        evaluations = tuple(
            evaluate(method, PartOf(dataset, job.split, job.pictures), job.split)
            for dataset in open_datasets(job.data, job.roots)
        )
    np.savez(job.masks, *method.masks)
    return Judged(evaluations=evaluations, names=tuple(method.names), counts=tuple(method.counts), masks=job.masks)
