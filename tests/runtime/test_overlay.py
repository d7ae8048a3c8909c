"""Overlays show which class each pixel is, where cells part, and what was counted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.counting.cells import Cell, tally
from hemonode.runtime.overlay import add_legend, draw_overlay

RED, WHITE = 2, 1


def _cell(class_id: int, x: float, y: float, side: float, *, in_frame: bool = True) -> Cell:
    return Cell(class_id, x, y, side, side, 0.9, in_frame)


@pytest.fixture
def touching() -> tuple[np.ndarray, list[Cell]]:
    """Two red cells of 40 px side by side that touch, 60×120 px."""
    class_ids = np.zeros((60, 120), np.uint8)
    for x in (40, 78):
        cv2.circle(class_ids, (x, 30), 20, RED, -1)
    return class_ids, [_cell(RED, 40, 30, 40), _cell(RED, 78, 30, 40)]


def _differs(overlay: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return np.abs(overlay.astype(int) - pixels).max(axis=2) > 0


def test_cells_are_tinted_in_their_colour_and_the_background_is_left_alone(colour_bundle: Bundle, touching) -> None:
    class_ids, _ = touching
    pixels = np.full((60, 120, 3), 128, np.uint8)
    overlay = draw_overlay(pixels, class_ids, [], colour_bundle.manifest.classes)
    assert np.array_equal(_differs(overlay, pixels), class_ids > 0)
    blue, green, red = overlay[30, 30].astype(int) - 128
    assert red > 0 > green > blue  # vermilion
    outline = colour_bundle.manifest.classes[RED].colour_bgr
    assert tuple(overlay[30, 20]) == outline
    assert pixels.min() == 128, "the picture itself stays"


def test_cells_outside_of_the_counting_frame_have_hollow_marks(colour_bundle: Bundle, touching) -> None:
    class_ids, (first, second) = touching
    second = _cell(RED, second.x, second.y, 40, in_frame=False)
    overlay = draw_overlay(
        np.full((60, 120, 3), 128, np.uint8), class_ids, [first, second], colour_bundle.manifest.classes
    )
    colour = np.array(colour_bundle.manifest.classes[RED].colour_bgr)
    assert np.abs(overlay[30, 40] - colour).max() < 3
    assert np.abs(overlay[30, 78] - colour).max() > 30


def test_a_line_parts_cells_that_touch(colour_bundle: Bundle, touching) -> None:
    class_ids, cells = touching
    pixels = np.full((60, 120, 3), 128, np.uint8)
    classes = colour_bundle.manifest.classes
    together = draw_overlay(pixels, class_ids, cells, classes)
    parted = draw_overlay(pixels, class_ids, cells, classes, part_touching=True)
    waist = class_ids[:, 59] == RED
    colour = np.array(classes[RED].colour_bgr)
    assert not (together[waist, 59] == colour).all(axis=1).all()
    lines = (parted[:, 56:63] == colour).all(axis=2).any(axis=1)
    assert lines[waist].all()


@pytest.mark.parametrize("width", [1, 90, 256, 640, 4000])
def test_the_legend_fits_below_a_picture_of_any_width(colour_bundle: Bundle, width: int) -> None:
    classes = colour_bundle.manifest.classes
    overlay = np.zeros((8, width, 3), np.uint8)
    drawn = add_legend(overlay, tally([_cell(WHITE, 4, 4, 4)], (1, 2, 3)), classes)
    assert drawn.shape[1] == width
    assert np.array_equal(drawn[:8], overlay)
    if width >= 256:
        shown = {entry.colour_bgr for entry in classes if (drawn[8:] == entry.colour_bgr).all(axis=2).any()}
        assert shown == {entry.colour_bgr for entry in classes if entry.countable}
        assert (drawn[8:, -4:] == 250).all(), "no text runs out of the picture"


def test_a_picture_of_one_pixel_has_an_overlay(colour_bundle: Bundle) -> None:
    pixels = np.full((1, 1, 3), 128, np.uint8)
    overlay = draw_overlay(pixels, np.zeros((1, 1), np.uint8), [], colour_bundle.manifest.classes, part_touching=True)
    assert np.array_equal(overlay, pixels)
