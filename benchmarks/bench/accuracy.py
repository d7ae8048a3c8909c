"""How well a contestant segments and counts, and how far it agrees with the adaptive original."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hemonode.benchmarks.bench.contestant import Record
from hemonode.benchmarks.bench.jobs import Judged
from hemonode.train.metrics.result import Evaluation


class Agreement(Record):
    """Of one contestant with another, on the same pictures.

    Attributes:
        mask: share of equal mask pixels, all pictures together.
        worst_mask: the same in the picture where it is smallest.
        worst_picture: that picture.
        changed_counts: Σ |difference| / Σ counts over pictures and classes; None where nothing was counted.
    """

    mask: float
    worst_mask: float
    worst_picture: str
    changed_counts: float | None


def agreement(own: Judged, original: Judged) -> Agreement:
    """Compare the masks and counts of two contestants.

    Raises:
        ValueError: they have judged different pictures.
    """
    if own.names != original.names:
        raise ValueError("two contestants have judged different pictures")
    with np.load(own.masks) as mine, np.load(original.masks) as theirs:
        # One picture of each in memory at a time.
        equal = [float(np.mean(mine[key] == theirs[key])) for key in mine.files]
        sizes = [mine[key].size for key in mine.files]
    worst = int(np.argmin(equal))
    counted = sum(sum(counts.values()) for counts in original.counts)
    changed = sum(
        abs(mine.get(kind, 0) - theirs.get(kind, 0))
        for mine, theirs in zip(own.counts, original.counts, strict=True)
        for kind in mine.keys() | theirs.keys()
    )
    return Agreement(
        mask=float(np.average(equal, weights=sizes)),
        worst_mask=equal[worst],
        worst_picture=own.names[worst],
        changed_counts=changed / counted if counted else None,
    )


def mean_miou(evaluations: Sequence[Evaluation]) -> float | None:
    """Mean over the data sets that have masks."""
    values = [e.segmentation.miou.value for e in evaluations if e.segmentation is not None]
    return _mean([value for value in values if value is not None])


def mean_count_accuracy(evaluations: Sequence[Evaluation]) -> float | None:
    """Mean over data sets and classes of the accuracy per picture, all visible cells."""
    results = [result for e in evaluations for result in e.counting if result.rule == "visible"]
    return _mean([result.accuracy.value for result in results if result.accuracy.value is not None])


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
