from __future__ import annotations

import pytest

from hemonode.train.metrics.counting import counting


def test_errors_of_opposite_sign_do_not_cancel():
    # The total is perfect, each picture is 50 % off.
    result = counting(2, "visible", [(15, 10), (5, 10)])
    assert (result.true, result.predicted) == (20, 20)
    assert result.accuracy.value == pytest.approx(0.5)
    assert result.mean_absolute_error.value == pytest.approx(5)
    assert result.bias.value == pytest.approx(0)


def test_pictures_without_cells_count_for_the_error_but_not_for_the_accuracy():
    result = counting(1, "in_frame", [(3, 0), (4, 4)])
    assert (result.pictures, result.pictures_with_cells) == (2, 1)
    assert result.accuracy.value == 1
    assert result.mean_absolute_error.value == pytest.approx(1.5)
    assert result.bias.value == pytest.approx(1.5)


def test_a_count_above_twice_the_truth_is_below_zero():
    assert counting(2, "visible", [(30, 10)]).accuracy.value == pytest.approx(-1)


def test_no_true_cells_anywhere_is_no_accuracy():
    result = counting(3, "visible", [(0, 0), (1, 0)])
    assert result.accuracy.value is None
    assert result.bias.value == pytest.approx(0.5)


def test_the_interval_holds_the_figure_and_narrows_with_more_pictures():
    few, many = (counting(2, "visible", [(9, 10), (10, 10), (12, 10)] * repeats) for repeats in (2, 50))
    for result in (few, many):
        assert result.accuracy.low < result.accuracy.value < result.accuracy.high
    assert many.accuracy.high - many.accuracy.low < (few.accuracy.high - few.accuracy.low) / 3


def test_the_same_counts_give_the_same_interval_every_time():
    counts = [(9, 10), (10, 10), (12, 10)]
    assert counting(2, "visible", counts) == counting(2, "visible", counts)
