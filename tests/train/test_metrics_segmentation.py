from __future__ import annotations

import numpy as np
import pytest

from hemonode.errors import DatasetError
from hemonode.train.metrics.segmentation import confusion_matrix as confusion
from hemonode.train.metrics.segmentation import segmentation


def ids(*values):
    return np.array([values], np.uint8)


def figures(result):
    return {entry.class_id: entry for entry in result.classes}


def test_figures_of_a_small_mask_worked_out_by_hand():
    result = segmentation([confusion(ids(0, 0, 0, 1, 1, 2), ids(0, 0, 1, 1, 2, 2), 3)], (0, 1, 2))
    assert result.pixel_accuracy.value == pytest.approx(4 / 6)
    by_class = figures(result)
    assert by_class[0].accuracy.value == pytest.approx(2 / 3)
    assert by_class[0].iou.value == pytest.approx(2 / 3)
    assert by_class[1].iou.value == pytest.approx(1 / 3)
    assert by_class[1].dice.value == pytest.approx(1 / 2)
    assert by_class[2].iou.value == pytest.approx(1 / 2)
    assert result.miou.value == pytest.approx((2 / 3 + 1 / 3 + 1 / 2) / 3)


def test_iou_is_of_the_summed_matrix_and_not_a_mean_over_pictures():
    large = confusion(ids(*[1] * 90), ids(*[1] * 90), 2)
    small = confusion(ids(*[1] * 10), ids(*[0] * 10), 2)
    assert figures(segmentation([large, small], (0, 1)))[1].iou.value == pytest.approx(0.9)


def test_unlabelled_pixels_do_not_count_whatever_is_predicted_there():
    result = segmentation([confusion(ids(0, 1, 255, 255), ids(0, 1, 1, 0), 2)], (0, 1))
    assert result.pixels == 2
    assert result.miou.value == 1


def test_cells_that_the_annotators_left_unmarked_count_as_background_and_are_named():
    result = segmentation([confusion(ids(0, 0, 1, 2), ids(0, 3, 3, 2), 4)], (0, 1, 2, 3))
    assert result.as_background == (3,)
    assert [entry.class_id for entry in result.classes] == [0, 1, 2]
    by_class = figures(result)
    assert by_class[0].iou.value == pytest.approx(2 / 3)
    assert by_class[1].iou.value == 0
    assert result.pixel_accuracy.value == pytest.approx(3 / 4)


def test_masks_of_one_class_alone_judge_only_its_pixels():
    result = segmentation([confusion(ids(255, 1, 1, 255), ids(2, 1, 0, 1), 3)], (0, 1, 2))
    assert result.as_background == ()
    assert figures(result)[1].iou.value == pytest.approx(0.5)
    assert result.pixel_accuracy.value == pytest.approx(0.5)


def test_a_class_that_only_some_pictures_show_has_an_interval():
    with_white = confusion(ids(0, 1, 1, 1), ids(0, 1, 1, 0), 2)
    without = confusion(ids(0, 0, 0, 0), ids(0, 0, 0, 1), 2)
    result = segmentation([with_white, without] * 5, (0, 1))
    assert result.miou.low < result.miou.value < result.miou.high


def test_masks_of_another_size_are_refused():
    with pytest.raises(DatasetError, match="cannot be compared"):
        confusion(ids(0, 1), ids(0, 1, 1), 2)


def test_an_unknown_predicted_class_is_refused():
    with pytest.raises(DatasetError, match="class id 7 is unknown"):
        confusion(ids(0, 1), ids(0, 7), 4)
