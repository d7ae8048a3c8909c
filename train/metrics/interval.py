"""A figure with its bootstrap interval over pictures: the spread that other pictures of the same kind would give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

RESAMPLES = 2000
COVERAGE = 0.95
SEED = 20210625

Sums = npt.NDArray[np.float64]


class Estimate(BaseModel):
    """A figure and its 95 % interval. None where it is not defined: nothing to count, or fewer than two pictures."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None = None
    high: float | None = None


def ratio(numerator: Sums, denominator: Sums) -> Sums:
    """The quotient, not-a-number where the denominator is 0."""
    quotient: Sums = np.full(np.shape(denominator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


def bootstrap(per_picture: npt.NDArray[np.generic], statistic: Callable[[Sums], Sums]) -> Estimate:
    """A pooled figure with the percentile interval of its bootstrap over pictures (Efron and Tibshirani 1993, ch. 13).

    Args:
        per_picture: [pictures, k] what each picture adds to k sums.
        statistic: from sums [n, k] to figures [n], not-a-number where undefined.

    Returns:
        The figure of all pictures. Resamples in which it is undefined are left out of the interval.
    """
    rows = np.asarray(per_picture, np.float64)
    if not len(rows):
        return Estimate(value=None)
    value = float(statistic(rows.sum(axis=0, keepdims=True))[0])
    if np.isnan(value):
        return Estimate(value=None)
    if len(rows) == 1:
        return Estimate(value=value)
    # Each resample is how often it draws each picture: sums of resamples are then one matrix product.
    draws = np.random.default_rng(SEED).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES)
    figures = statistic(draws.astype(np.float64) @ rows)
    tail = (1 - COVERAGE) / 2
    low, high = np.nanquantile(figures, (tail, 1 - tail))
    return Estimate(value=value, low=float(low), high=float(high))
