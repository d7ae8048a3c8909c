"""Whether a figure that is watched for a long time rises or falls: its slope, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_BLOCKS = 20
# Student's t for 18 degrees of freedom, 97.5 %: two were spent on the line.
_T = 2.101


@dataclass(frozen=True)
class Trend:
    """Of a series: medians of all, its first and its last tenth, and the slope with its 95 % interval."""

    median: float
    first: float
    last: float
    slope: float
    low: float
    high: float


def find_trend(at: npt.ArrayLike, values: npt.ArrayLike) -> Trend:
    """Fit a line through medians of 20 blocks: neighbouring samples are alike, blocks nearly independent.

    Args:
        at: rising times, at least 40.
        values: one for each; the slope is in their unit per unit of time.

    Raises:
        ValueError: too few samples to tell.
    """
    times, series = np.asarray(at, np.float64), np.asarray(values, np.float64)
    if len(times) < 2 * _BLOCKS:
        raise ValueError(f"{len(times)} samples are too few for a trend; {2 * _BLOCKS} at least")
    x, y = _block_medians(times), _block_medians(series)
    spread = x - x.mean()
    slope = float(spread @ y / (spread @ spread))
    rest = y - y.mean() - slope * spread
    error = float(np.sqrt(rest @ rest / (_BLOCKS - 2) / (spread @ spread)))
    tenth = max(1, len(series) // 10)
    return Trend(
        median=float(np.median(series)),
        first=float(np.median(series[:tenth])),
        last=float(np.median(series[-tenth:])),
        slope=slope,
        low=slope - _T * error,
        high=slope + _T * error,
    )


def _block_medians(series: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.array([np.median(block) for block in np.array_split(series, _BLOCKS)])
