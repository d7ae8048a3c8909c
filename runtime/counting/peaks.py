"""Which rows of an engine's list of peaks are cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hemonode.errors import TooManyCellsError
from hemonode.runtime.bundle.schema import Manifest

Peaks = npt.NDArray[np.float32]

# Two peaks of one class nearer than this share of a red-cell diameter are one cell: a plateau of the heat map, or a
# cell whose centre lies between two of its pixels. Touching red cells lie 0.6 diameters apart and more.
_MERGED_WITHIN = {"platelet": 0.2}
_MERGED_WITHIN_ELSE = 0.3


def peak_thresholds(manifest: Manifest) -> dict[int, float]:
    """Least score of a counted cell per countable class id; a class without a chosen threshold takes 0.5."""
    return {
        entry.id: 0.5 if entry.peak_threshold is None else entry.peak_threshold
        for entry in manifest.classes
        if entry.countable
    }


def is_full(peaks: Peaks, thresholds: Mapping[int, float]) -> bool:
    """Whether a frame's list [K, 4] may be short: its last row would still be counted."""
    return bool(len(peaks)) and float(peaks[-1, 3]) >= min(thresholds.values())


def check_not_full(peaks: Peaks, thresholds: Mapping[int, float]) -> None:
    """Refuse a list that may be short.

    Raises:
        TooManyCellsError: more cells than the list has rows.
    """
    if is_full(peaks, thresholds):
        raise TooManyCellsError(
            f"A frame shows more than {len(peaks)} cells, all that the model can list; "
            "use smaller tiles, or check the red-cell diameter."
        )


def counted_peaks(peaks: Peaks, manifest: Manifest) -> Peaks:
    """The rows above their class's threshold, each cell once.

    Args:
        peaks: float32 [K, 4], class id, x, y, score, pixels at the working scale.
        manifest: thresholds, class names and the working scale.

    Returns:
        float32 [n, 4], by falling score within each class.
    """
    kept = []
    names = {entry.id: entry.name for entry in manifest.classes}
    for class_id, threshold in peak_thresholds(manifest).items():
        own = peaks[(peaks[:, 0] == class_id) & (peaks[:, 3] >= threshold)]
        radius = _MERGED_WITHIN.get(names[class_id], _MERGED_WITHIN_ELSE) * manifest.scale.red_cell_px
        kept.append(_merge(own[np.argsort(-own[:, 3], kind="stable")], radius))
    return np.concatenate(kept) if kept else peaks[:0]


def _merge(peaks: Peaks, radius: float) -> Peaks:
    """Drop every peak that lies within `radius` of a better one that was kept."""
    if len(peaks) < 2:
        return peaks
    offsets = peaks[:, None, 1:3] - peaks[None, :, 1:3]
    near = (offsets**2).sum(axis=2) < radius**2
    keep = np.ones(len(peaks), bool)
    for index in np.flatnonzero(near.sum(axis=1) > 1):
        if keep[index]:
            near[index, : index + 1] = False
            keep[near[index]] = False
    return peaks[keep]
