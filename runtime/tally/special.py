"""The two functions of statistics that intervals need: regularised incomplete beta and gamma.

Both by their series and continued fractions (Abramowitz and Stegun 1964, 6.5.29, 6.5.31 and 26.5.8), the fractions
evaluated by Lentz's method as Thompson and Barnett (1986) mended it; good to about 1e-12.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count

_ENOUGH = 1e-15
_TINY = 1e-300
# Both fractions need about the root of their largest parameter; this is enough for a billion cells.
_MOST_TERMS = 100_000


def regularised_beta(x: float, a: float, b: float) -> float:
    """Chance that a Beta(a, b) variable is at most `x`; a, b > 0, 0 ≤ x ≤ 1."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - regularised_beta(1 - x, b, a)
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(front) / a / _fraction(_beta_terms(x, a, b))


def regularised_gamma(a: float, x: float) -> float:
    """Chance that a Gamma(a, 1) variable is at most `x`; a > 0, x ≥ 0."""
    if x <= 0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        return front * _gamma_series(a, x)
    return 1 - front / _fraction(_gamma_terms(a, x), x + 1 - a)


def _gamma_series(a: float, x: float) -> float:
    term = total = 1 / a
    for number in range(1, _MOST_TERMS):
        term *= x / (a + number)
        total += term
        if term < total * _ENOUGH:
            break
    return total


def _beta_terms(x: float, a: float, b: float) -> Iterator[tuple[float, float]]:
    for m in count():
        if m:
            yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0


def _gamma_terms(a: float, x: float) -> Iterator[tuple[float, float]]:
    for m in count(1):
        yield -m * (m - a), x + 2 * m + 1 - a


def _fraction(terms: Iterator[tuple[float, float]], first: float = 1.0) -> float:
    """The fraction first + p₁/(q₁ + p₂/(q₂ + …)) for terms (p, q)."""
    value = above = first or _TINY
    below = 0.0
    for _, (p, q) in zip(range(_MOST_TERMS), terms, strict=False):
        below = 1 / (q + p * below or _TINY)
        above = q + p / above or _TINY
        value *= above * below
        if abs(above * below - 1) < _ENOUGH:
            break
    return value
