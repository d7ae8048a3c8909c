from __future__ import annotations

import numpy as np
import pytest

from hemonode.errors import DatasetError
from hemonode.train.data.sample import Box
from hemonode.train.metrics.matching import gained_matches, near
from hemonode.train.peak_thresholds import PicturePeaks, choose_peak_thresholds, peak_curve


def picture(found, boxes, complete=(1, 2, 3)):
    """`found`: (class id, x, score) on the line y = 0; `boxes`: (class id, x), 20 px wide."""
    peaks = np.array([(class_id, x, 0, score) for class_id, x, score in found], np.float32).reshape(-1, 4)
    return PicturePeaks(peaks, tuple(Box(class_id, x, 0, 20, 20) for class_id, x in boxes), complete)


def test_the_threshold_parts_cells_from_false_peaks():
    chosen = choose_peak_thresholds(
        [
            picture([(2, 0, 0.9), (2, 100, 0.6), (2, 200, 0.3)], [(2, 0), (2, 100)]),
            picture([(2, 0, 0.7), (2, 100, 0.4)], [(2, 0)]),
        ],
        [2],
    )
    assert 0.4 < chosen.thresholds[2] < 0.6
    assert chosen.curves[2].f1.max() == pytest.approx(1)


def test_each_class_has_its_own_threshold():
    chosen = choose_peak_thresholds(
        [picture([(1, 0, 0.9), (1, 50, 0.7), (3, 300, 0.3), (3, 350, 0.1)], [(1, 0), (3, 300)])], [1, 3]
    )
    assert 0.7 < chosen.thresholds[1] < 0.9
    assert 0.1 < chosen.thresholds[3] < 0.3


def test_pictures_whose_boxes_are_incomplete_do_not_make_their_cells_false():
    whole = picture([(2, 0, 0.8)], [(2, 0)])
    partial = picture([(2, 0, 0.99), (2, 100, 0.95)], [], complete=(1,))
    curve = peak_curve([whole, partial], 2)
    assert curve.f1.tolist() == [1]


def test_where_f1_hardly_differs_the_unbiased_count_is_taken():
    # 1000 cells; 990 found surely. 10 more peaks, 5 of them right, change F1 by 0.0000, and make the count right.
    sure = [(2, 100 * index, 0.9) for index in range(990)]
    unsure = [(2, 100 * index + (0 if index % 2 else 50), 0.5) for index in range(990, 1000)]
    chosen = choose_peak_thresholds([picture(sure + unsure, [(2, 100 * index) for index in range(1000)])], [2])
    assert chosen.thresholds[2] < 0.5


def test_every_point_of_the_curve_is_what_counting_at_that_threshold_gives():
    random = np.random.default_rng(4)
    boxes = [(2, float(x)) for x in random.uniform(0, 400, 30)]
    found = [
        (2, float(x), float(score)) for x, score in zip(random.uniform(0, 400, 50), random.random(50), strict=True)
    ]
    one = picture(found, boxes)
    curve = peak_curve([one, one], 2)
    assert len(curve.thresholds) > 30
    for threshold, f1 in zip(curve.thresholds, curve.f1, strict=True):
        kept = one.peaks[one.peaks[:, 3] >= threshold - 1e-9]
        matched = gained_matches(near(kept[:, 1:3].astype(float), list(one.boxes))).sum()
        assert f1 == pytest.approx(2 * matched / (len(kept) + len(boxes)))


def test_the_tail_of_peaks_of_no_account_is_not_looked_at():
    tail = [(0, 0, 0.0)] * 900
    assert len(peak_curve([picture([(2, 0, 0.8), *tail], [(2, 0)])], 2).thresholds) == 1


def test_a_class_without_true_cells_or_without_a_match_is_refused():
    with pytest.raises(DatasetError, match="no training picture has complete boxes of class 3"):
        choose_peak_thresholds([picture([(3, 0, 0.8)], [(2, 0)])], [3])
    with pytest.raises(DatasetError, match="has not learnt it"):
        choose_peak_thresholds([picture([(2, 500, 0.8)], [(2, 0)])], [2])
    with pytest.raises(DatasetError, match="has not learnt it"):
        choose_peak_thresholds([picture([], [(2, 0)])], [2])
