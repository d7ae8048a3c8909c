"""Cells are counted once each, measured, and put into the counting frame by the stated rule."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.counting.cells import Cell, tally
from hemonode.runtime.counting.frame_rule import in_counting_frame
from hemonode.runtime.counting.instances import instance_boxes, label_instances
from hemonode.runtime.counting.locate import locate_cells
from hemonode.runtime.counting.peaks import check_not_full, counted_peaks


def _peaks(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_a_plateau_of_two_peaks_is_one_cell(colour_bundle: Bundle) -> None:
    found = counted_peaks(_peaks((2, 50, 50, 0.9), (2, 54, 50, 0.9)), colour_bundle.manifest)
    assert found[:, 1].tolist() == [50]


def test_touching_red_cells_stay_two(colour_bundle: Bundle) -> None:
    assert len(counted_peaks(_peaks((2, 50, 50, 0.9), (2, 76, 50, 0.8)), colour_bundle.manifest)) == 2


def test_a_platelet_on_a_red_cell_is_counted_beside_it(colour_bundle: Bundle) -> None:
    assert len(counted_peaks(_peaks((2, 50, 50, 0.9), (3, 52, 50, 0.8)), colour_bundle.manifest)) == 2


def test_peaks_below_their_threshold_are_no_cells(colour_bundle: Bundle) -> None:
    assert len(counted_peaks(_peaks((2, 50, 50, 0.49)), colour_bundle.manifest)) == 0


def test_a_full_list_is_an_error_and_not_a_short_count() -> None:
    peaks = np.tile(np.array([[2, 1, 1, 0.9]], np.float32), (8, 1))
    with pytest.raises(EngineError, match="more than 8 cells"):
        check_not_full(peaks, {1: 0.5, 2: 0.6})
    peaks[-1, 3] = 0.4
    check_not_full(peaks, {1: 0.5, 2: 0.6})


def test_cells_at_the_left_and_top_edge_are_in_and_at_the_right_and_bottom_out() -> None:
    boxes = np.array(
        [[0, 30, 20, 50], [30, 0, 50, 20], [80, 30, 100, 50], [30, 80, 50, 100], [0, 80, 20, 100], [40, 40, 60, 60]],
        np.float64,
    )
    assert in_counting_frame(boxes, 100, 100).tolist() == [True, True, False, False, False, True]


@pytest.mark.parametrize("width", range(400, 430))
def test_a_cell_cut_by_the_right_edge_is_out_at_every_size(colour_bundle: Bundle, width: int) -> None:
    # 90 px red cells: the working scale's pixels do not divide the picture's evenly.
    columns = round(width * 40 / 90)
    rows, places = np.mgrid[:160, : columns * 2]
    cut = (places - columns * 2) ** 2 + (rows - 80) ** 2 <= 40**2
    class_ids = np.where(cut, 2, 0).astype(np.uint8)
    peaks = _peaks((2, columns - 10, 40, 0.9))
    for mask, row, expected in ((class_ids, peaks, False), (class_ids[:, ::-1], _peaks((2, 10, 40, 0.9)), True)):
        (cell,) = locate_cells(np.ascontiguousarray(mask), row, colour_bundle.manifest, 180, width).cells
        assert cell.in_frame is expected
        assert cell.width == pytest.approx(45, abs=3)


def test_two_touching_discs_part_at_their_waist() -> None:
    rows, columns = np.mgrid[:60, :100]
    left = (columns - 30) ** 2 + (rows - 30) ** 2 <= 20**2
    right = (columns - 66) ** 2 + (rows - 30) ** 2 <= 20**2
    class_ids = np.where(left | right, 2, 0).astype(np.uint8)
    peaks = _peaks((2, 30, 30, 0.9), (2, 66, 30, 0.8))
    nominal = np.array([40.0, 40.0])
    boxes = instance_boxes(label_instances(class_ids, peaks, nominal), peaks, nominal)
    assert np.abs(boxes[0] - [10, 10, 48, 51]).max() <= 2
    assert np.abs(boxes[1] - [48, 10, 87, 51]).max() <= 2


def test_a_cell_of_one_class_does_not_grow_into_another() -> None:
    class_ids = np.zeros((40, 80), np.uint8)
    class_ids[:, :40], class_ids[:, 40:] = 1, 2
    peaks = _peaks((1, 20, 20, 0.9), (2, 60, 20, 0.9))
    labels = label_instances(class_ids, peaks, np.array([40.0, 40.0]))
    assert (labels[class_ids == 1] != 2).all()
    assert (labels[class_ids == 2] != 1).all()


def test_a_peak_without_mask_keeps_a_box_of_the_usual_size() -> None:
    peaks = _peaks((2, 30, 20, 0.9))
    boxes = instance_boxes(np.zeros((60, 60), np.int32), peaks, np.array([20.0]))
    assert boxes.tolist() == [[20, 10, 40, 30]]


def test_a_class_without_cells_counts_zero() -> None:
    counts = tally([Cell(2, 1, 1, 1, 1, 1.0, in_frame=False)], (1, 2))
    assert counts.visible == {1: 0, 2: 1}
    assert counts.in_frame == {1: 0, 2: 0}
