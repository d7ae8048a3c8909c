"""How many cells an answer counts, as a device counts them, and how far two counts are apart."""

from __future__ import annotations

from collections import Counter

from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.counting.peaks import counted_peaks
from hemonode.runtime.prediction import Prediction


def counted_cells(prediction: Prediction, manifest: Manifest) -> Counter[int]:
    """Cells per class id of a prediction's first picture."""
    return Counter(counted_peaks(prediction.peaks[0], manifest)[:, 0].astype(int).tolist())


def cells_apart(counts: Counter[int], others: Counter[int]) -> int:
    """By how many cells two counts differ, summed over the classes."""
    return sum(abs(counts[class_id] - others[class_id]) for class_id in counts.keys() | others.keys())
