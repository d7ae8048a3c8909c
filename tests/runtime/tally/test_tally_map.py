"""What is covered is known exactly, and drift is taken back when the view comes round."""

from __future__ import annotations

import numpy as np

from hemonode.runtime.tally.coverage import inside_any, new_area
from hemonode.runtime.tally.settle import Link, settle


def test_new_area_is_what_no_picture_covered():
    rng = np.random.default_rng(3)
    for _ in range(50):
        corners = rng.integers(0, 60, (rng.integers(0, 7), 2)).astype(float)
        covered = np.concatenate([corners, corners + rng.integers(5, 40, corners.shape)], 1)
        part = np.array([20.0, 15.0, 60.0, 55.0])
        ys, xs = np.mgrid[15:55, 20:60] + 0.5
        inside = inside_any(np.stack([xs.ravel(), ys.ravel()], 1), covered)
        assert new_area(part, covered) == (~inside).sum()


def test_drift_is_spread_over_the_loop_that_closes():
    corners = np.array([(0, 0), (100, 0), (200, 0), (200, 100), (100, 100), (0, 100)], float)
    drift = np.array([2.0, 1.0])
    links = [Link(n, n + 1, *(corners[n + 1] - corners[n] + drift), 1.0) for n in range(5)]
    drifted = corners + np.arange(6)[:, None] * drift
    settled = settle(drifted, [*links, Link(5, 0, *(corners[0] - corners[5]), 1.0)])
    assert np.abs(settled[0]).max() == 0
    off = np.abs(settled - corners).max()
    assert off < 0.4 * np.abs(drifted - corners).max()
    stretch = np.array([settled[n + 1] - settled[n] - (links[n].x, links[n].y) for n in range(5)])
    assert np.ptp(stretch, axis=0).max() < 0.05


def test_a_better_measured_shift_weighs_more():
    settled = settle(np.zeros((2, 2)), [Link(0, 1, 10.0, 0.0, 9.0), Link(0, 1, 20.0, 0.0, 1.0)])
    assert abs(settled[1, 0] - 11.0) < 0.05
