"""Intervals are exact: as in printed tables, and as SciPy computes them."""

from __future__ import annotations

import pytest

from hemonode.runtime.tally.intervals import cells_needed, rate_interval, share_interval
from hemonode.runtime.tally.special import regularised_beta, regularised_gamma


@pytest.fixture
def stats():
    return pytest.importorskip("scipy.stats", reason="SciPy is not installed; the intervals are compared with it")


@pytest.mark.parametrize(
    ("counted", "low", "high"),
    # Garwood 1936; as printed by Ulm 1990 and in ICRU report 86.
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (100, 81.364, 121.627)],
)
def test_cells_per_field_have_the_printed_interval(counted, low, high):
    interval = rate_interval(counted, 1.0)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


@pytest.mark.parametrize(
    # Rümke 1977, the table behind every differential.
    ("counted", "of", "low", "high"),
    [(0, 100, 0, 3.6), (5, 100, 1.6, 11.3), (50, 100, 39.8, 60.2), (20, 400, 3.1, 7.6), (100, 100, 96.4, 100)],
)
def test_a_share_has_the_printed_interval(counted, of, low, high):
    interval = share_interval(counted, of)
    assert (100 * interval.low, 100 * interval.high) == (pytest.approx(low, abs=0.06), pytest.approx(high, abs=0.06))


@pytest.mark.parametrize("of", [1, 2, 10, 137, 4_000, 100_000])
def test_shares_agree_with_scipy(stats, of):
    for counted in {0, 1, of // 20, of // 2, of - 1, of}:
        interval = share_interval(counted, of)
        low = stats.beta.ppf(0.025, counted, of - counted + 1) if counted else 0
        high = stats.beta.ppf(0.975, counted + 1, of - counted) if counted < of else 1
        assert (interval.low, interval.high) == (pytest.approx(low, rel=1e-8), pytest.approx(high, rel=1e-8))


@pytest.mark.parametrize("counted", [0, 1, 3, 40, 384, 5_000, 1_000_000])
def test_rates_agree_with_scipy(stats, counted):
    interval = rate_interval(counted, 2.5)
    low = stats.chi2.ppf(0.025, 2 * counted) / 2 if counted else 0
    high = stats.chi2.ppf(0.975, 2 * counted + 2) / 2
    assert (2.5 * interval.low, 2.5 * interval.high) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 9), (3, 700), (900, 40_000)])
def test_the_incomplete_beta_function_agrees_with_scipy(stats, a, b):
    for x in (0.0, 1e-6, 0.01, 0.3, 0.7, 0.999, 1.0):
        assert regularised_beta(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("a", [0.5, 1, 7, 400, 50_000])
def test_the_incomplete_gamma_function_agrees_with_scipy(stats, a):
    for share in (0.0, 0.2, 0.9, 1.0, 1.1, 3.0):
        assert regularised_gamma(a, share * a) == pytest.approx(stats.gamma.cdf(share * a, a), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("percent", "cells"), [(4, 2401), (10, 384), (25, 61)])
def test_a_goal_takes_as_many_cells_as_textbooks_say(percent, cells):
    assert cells_needed(percent) == cells


def test_nothing_counted_yet_has_no_interval():
    assert share_interval(0, 0).value is None
    assert rate_interval(0, 0.0).high is None
