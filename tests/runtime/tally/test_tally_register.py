"""A view is placed where it lies, to the pixel, or not at all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hemonode.runtime.tally import shot as shot_module
from hemonode.runtime.tally.landmarks import Landmarks
from hemonode.runtime.tally.register import Expected, best_shift, register
from hemonode.runtime.tally.shot import REMEMBERED, Shot

NOTHING = Landmarks.of(())


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (40, 0), (0, 97), (-120, 60), (190, 10), (-90, -110)])
def test_a_moved_view_is_placed_to_the_pixel(slide, shift):
    x, y = 400, 260
    found = register(slide.shot(x, y), slide.shot(x + shift[0], y + shift[1]))
    assert found is not None
    assert np.hypot(found.x - shift[0], found.y - shift[1]) < 1.5


@pytest.mark.parametrize("changes", [{"gain": 0.6}, {"gain": 1.15}, {"blur_px": 3.0}])
def test_light_and_focus_may_change_on_the_way(slide, changes):
    found = register(slide.shot(300, 200), slide.shot(390, 260, **changes))
    assert found is not None
    assert np.hypot(found.x - 90, found.y - 60) < 1.5


def test_a_map_of_many_pictures_keeps_few_of_their_transforms(slide):
    shots = [slide.shot(x, 260) for x in range(0, 12 * (REMEMBERED + 20), 12)]
    for earlier, later in itertools.pairwise(shots):
        register(earlier, later)
    kept = sum(value.nbytes for shot in shots for value in vars(shot).values() if isinstance(value, np.ndarray))
    assert kept < 30_000 * len(shots)
    assert shot_module._spectrum.cache_info().currsize <= REMEMBERED
    assert shot_module._root_energy.cache_info().currsize <= REMEMBERED


def test_another_place_is_told_from_this_one(slide, other_slide):
    here = [slide.shot(x, y) for x, y in ((0, 0), (360, 0), (720, 0), (0, 300), (360, 300), (720, 300))]
    there = [other_slide.shot(x, y) for x, y in ((0, 0), (90, 80), (170, 150))]
    assert not [1 for first in here for second in here if first is not second and register(first, second)]
    assert not [1 for first in here for second in there if register(first, second)]


def test_a_regular_pattern_of_cells_gives_no_shift(known):
    rows, columns = np.mgrid[: known.size[0] + 60, : known.size[1] + 60]
    pattern = 150 + 60 * np.cos(rows * 2 * np.pi / 40) * np.cos(columns * 2 * np.pi / 40)
    noise = np.random.default_rng(1)

    def view(x, y):
        part = pattern[y : y + known.size[0], x : x + known.size[1], None] + noise.normal(0, 2, (*known.size, 3))
        return Shot.of(part.astype(np.uint8), known.red_cell_px, NOTHING)

    assert register(view(0, 0), view(17, 9)) is None


def test_an_empty_view_gives_no_shift(known):
    noise = np.random.default_rng(2)
    views = [
        Shot.of(noise.normal(210, 2, (*known.size, 3)).astype(np.uint8), known.red_cell_px, NOTHING) for _ in range(2)
    ]
    assert register(*views) is None


def test_a_black_view_gives_no_shift(known):
    black = Shot.of(np.zeros((*known.size, 3), np.uint8), known.red_cell_px, NOTHING)
    assert register(black, black) is None


def test_cells_that_disagree_overrule_a_picture_that_agrees(slide, known):
    first, second = slide.shot(300, 200), slide.shot(330, 220)
    assert register(first, second) is not None
    elsewhere = Landmarks(second.landmarks.class_ids, second.landmarks.centres[:, ::-1])
    assert register(first, Shot(second.small, second.factor, second.size, second.red_cell_px, elsewhere)) is None


def test_a_sliver_is_enough_where_the_place_is_known_before(slide):
    first, second = slide.shot(300, 200), slide.shot(300 + 285, 200)
    assert register(first, second) is None
    found = register(first, second, Expected(280, 3, 20))
    assert found is not None
    assert np.hypot(found.x - 285, found.y) < 1.5


def test_a_large_picture_is_placed_as_finely_for_its_size(slide):
    first, second = (np.kron(slide.pixels(x, y), np.ones((4, 4, 1), np.uint8)) for x, y in ((200, 200), (251, 213)))
    found = best_shift(Shot.of(first, 160.0, NOTHING), Shot.of(second, 160.0, NOTHING))
    assert found is not None
    assert np.hypot(found.x - 204, found.y - 52) < 4
