from __future__ import annotations

import pytest

from hemonode.runtime.counting.cells import Cell
from hemonode.train.data.sample import Box
from hemonode.train.metrics.detection import PictureMatches, detection, match_picture


def cell(class_id, x, y):
    return Cell(class_id, x, y, 20, 20, 0.9, in_frame=True)


def test_a_red_cell_on_a_white_cell_is_a_miss_and_a_false_one():
    boxes = [Box(1, 50, 50, 40, 40)]
    assert match_picture([cell(2, 50, 50)], boxes, 1) == PictureMatches(0, 0, 1)
    assert match_picture([cell(2, 50, 50)], boxes, 2) == PictureMatches(0, 1, 0)


def test_figures_pool_the_cells_of_all_pictures():
    result = detection(2, [PictureMatches(8, 10, 8), PictureMatches(1, 2, 4)])
    assert (result.matched, result.predicted, result.true) == (9, 12, 12)
    assert result.precision.value == pytest.approx(9 / 12)
    assert result.recall.value == pytest.approx(9 / 12)
    assert result.f1.value == pytest.approx(0.75)
    assert result.f1.low < 0.75 < result.f1.high


def test_the_interval_is_that_of_pictures_not_of_cells():
    # The same cells in alike pictures say more than in one good and one bad kind of picture.
    alike = detection(2, [PictureMatches(75, 100, 100)] * 20)
    unlike = detection(2, [PictureMatches(100, 100, 100)] * 10 + [PictureMatches(50, 100, 100)] * 10)
    assert alike.f1.value == pytest.approx(unlike.f1.value)
    assert alike.f1.high - alike.f1.low == pytest.approx(0, abs=1e-9)
    assert unlike.f1.high - unlike.f1.low > 0.1


def test_without_any_cell_of_a_class_there_is_no_figure_rather_than_a_perfect_one():
    result = detection(3, [PictureMatches(0, 0, 0)] * 3)
    assert result.f1.value is None
    assert result.precision.value is None


def test_false_cells_where_there_are_none_are_precision_zero_and_no_recall():
    result = detection(3, [PictureMatches(0, 2, 0)])
    assert result.precision.value == 0
    assert result.recall.value is None
    assert result.f1.value == 0


def test_one_picture_has_no_interval():
    assert detection(2, [PictureMatches(8, 10, 8)]).f1.low is None
