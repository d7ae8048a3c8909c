"""Exact 95 % intervals of counted cells: binomial for shares, Poisson for cells per field."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from hemonode.runtime.live.status import Interval
from hemonode.runtime.tally.special import regularised_beta, regularised_gamma

TAIL = 0.025
"""Chance left on either side of the interval."""

_NORMAL_97_5 = 1.959963984540054
# A bracket is halved until nothing is left of it: one halving per bit of a float, and some for where it began.
_HALVINGS = 80


def share_interval(counted: int, of: int) -> Interval:
    """Share of a class among all cells, with its binomial interval (Clopper and Pearson 1934)."""
    if of == 0:
        return Interval(None, None, None)
    return Interval(counted / of, *_clopper_pearson(counted, of))


def rate_interval(counted: int, fields: float) -> Interval:
    """Cells per field of view, with its Poisson interval (Garwood 1936). `fields`: area covered, in fields of view."""
    if fields <= 0:
        return Interval(None, None, None)
    low, high = _garwood(counted)
    return Interval(counted / fields, low / fields, high / fields)


def cells_needed(percent: float) -> int:
    """Cells after which the Poisson error of their count, 95 %, is ± `percent` of it: 384 for ±10 %."""
    return max(1, round((100 * _NORMAL_97_5 / percent) ** 2))


@lru_cache(maxsize=1024)
def _clopper_pearson(counted: int, of: int) -> tuple[float, float]:
    low, high = 0.0, 1.0
    if counted > 0:
        low = _root(lambda p: regularised_beta(p, counted, of - counted + 1) - TAIL, 0.0, 1.0)
    if counted < of:
        high = _root(lambda p: regularised_beta(p, counted + 1, of - counted) - (1 - TAIL), 0.0, 1.0)
    return low, high


@lru_cache(maxsize=1024)
def _garwood(counted: int) -> tuple[float, float]:
    far = counted + 10 * math.sqrt(counted + 1) + 10
    low = _root(lambda mean: regularised_gamma(counted, mean) - TAIL, 0.0, far) if counted > 0 else 0.0
    return low, _root(lambda mean: regularised_gamma(counted + 1, mean) - (1 - TAIL), 0.0, far)


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses 0 between `low` and `high`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
