"""The simulated smear: the same place shows the same cells, and the truth agrees with the picture."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from hemonode.device.smear import render_view
from hemonode.device.smear.microscope import Microscope
from hemonode.device.smear.sites import RED, VIEW_UM2, WHITE_KINDS
from hemonode.device.smear.stains import STAINS
from hemonode.errors import DeviceError


@pytest.fixture(scope="module")
def microscope():
    return Microscope(seed=4, stain="pink", white_cells_per_view=2.0)


@pytest.fixture(scope="module")
def wide_view():
    return render_view(seed=2, height=1050, width=1500, red_cell_px=45, white_cells_per_view=1.5)


def test_the_same_arguments_give_the_same_view_bit_for_bit():
    first, second = (render_view(seed=5, stain="teal", position_um=(31.0, -9.0), z_um=1.0) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.class_ids, second.class_ids)
    assert first.cells == second.cells


def test_another_seed_is_another_smear():
    assert not np.array_equal(render_view(seed=1).class_ids, render_view(seed=2).class_ids)


def test_coming_back_by_another_way_shows_the_same_cells(microscope):
    before = microscope.view((900.0, 900.0))
    for place in ((700.0, 900.0), (0.0, 0.0), (-500.0, 300.0)):
        microscope.view(place)
    after = Microscope(seed=4, stain="pink", white_cells_per_view=2.0).view((900.0, 900.0))
    assert np.array_equal(before.pixels, after.pixels)
    assert before.cells == after.cells


def test_moving_the_slide_moves_the_picture_by_as_many_pixels(microscope):
    right, down = 37, 23
    before = microscope.view((-60.0, 40.0))
    after = microscope.view((-60.0 + right * before.um_per_px, 40.0 + down * before.um_per_px))
    assert np.array_equal(before.class_ids[down:, right:], after.class_ids[:-down, :-right])
    # The lamp and the noise stay with the camera.
    apart = np.abs(before.pixels[down:, right:].astype(int) - after.pixels[:-down, :-right])
    assert apart.mean() < 4
    keys = {cell.key: cell for cell in after.cells if cell.complete}
    shared = [(cell, keys[cell.key]) for cell in before.cells if cell.complete and cell.key in keys]
    assert len(shared) > 5
    assert all((a.x - b.x, a.y - b.y) == (right, down) for a, b in shared)


def test_there_is_no_seam_where_the_smear_is_drawn_in_pieces():
    """A view of another size begins its pieces of blur and layout elsewhere, and must show the same."""
    small = render_view(seed=3, height=200, width=200)
    large = render_view(seed=3, height=600, width=600)
    assert np.array_equal(small.class_ids, large.class_ids[200:400, 200:400])
    light = Microscope(seed=3)._slide.light(-500, -500, 1000, 1000)[0]
    steps = np.abs(np.diff(light, axis=1)).mean((0, 2))
    at_seams = steps[[x for x in range(999) if (x + 1 - 500) % 160 == 0]]
    assert at_seams.mean() < 1.15 * steps.mean()


@pytest.mark.parametrize("stain", STAINS)
def test_labelled_pixels_are_darker_than_the_glass(stain):
    view = render_view(seed=6, stain=stain, white_cells_per_view=3.0)
    green = view.pixels[..., 1].astype(float)
    glass, white, red, platelet = (green[view.class_ids == k].mean() for k in range(4))
    assert white < red < glass - 20
    assert platelet < glass - 15
    # The darkest of a cell lies in its label: little beyond blur is dark outside.
    assert (green[view.class_ids == 0] < (glass + red) / 2).mean() < 0.06


def test_a_box_holds_its_cell_and_touches_it_on_all_sides(microscope):
    view = microscope.view((10.0, 10.0))
    for cell in view.cells:
        left, top, width, height = cell.box
        assert left >= 0
        assert top >= 0
        assert left + width <= 640
        assert top + height <= 480
        assert (cell.x, cell.y) == (left + width / 2, top + height / 2)
        if cell.class_id == 1:
            labels = view.class_ids[top : top + height, left : left + width] == 1
            assert labels[0].any()
            assert labels[-1].any()
            assert labels[:, 0].any()
            assert labels[:, -1].any()


def test_every_labelled_pixel_lies_in_the_box_of_a_cell_of_its_class(wide_view):
    for class_id in (1, 2, 3):
        covered = np.zeros(wide_view.class_ids.shape, bool)
        for cell in wide_view.cells:
            if cell.class_id == class_id:
                left, top, width, height = cell.box
                covered[top : top + height, left : left + width] = True
        assert covered[wide_view.class_ids == class_id].all()


def test_as_many_cells_lie_on_the_smear_as_asked(wide_view):
    views = wide_view.class_ids.size * wide_view.um_per_px**2 / VIEW_UM2
    counts = Counter(cell.class_id for cell in wide_view.cells if cell.complete)
    assert 17 <= counts[2] / views <= 28
    assert 0.9 <= counts[1] / views <= 2.0
    assert 2 <= counts[3] / views <= 6


def test_no_white_cells_are_drawn_where_none_are_asked_for():
    view = render_view(seed=2, white_cells_per_view=0)
    assert not (view.class_ids == 1).any()
    assert {cell.class_id for cell in view.cells} == {2, 3}


def test_all_five_kinds_of_white_cells_occur(wide_view):
    assert {cell.kind for cell in wide_view.cells if cell.class_id == 1} == set(WHITE_KINDS)


def test_red_cells_are_paler_in_the_middle_and_as_large_as_said(wide_view):
    discs = [c for c in wide_view.cells if c.kind == "discocyte" and c.complete]
    sizes = [(c.box[2] * c.box[3]) ** 0.5 for c in discs]
    assert np.median(sizes) == pytest.approx(45, rel=0.06)
    green = wide_view.pixels[..., 1].astype(float)
    middles = [green[int(c.y) - 3 : int(c.y) + 4, int(c.x) - 3 : int(c.x) + 4].mean() for c in discs]
    rings = green[wide_view.class_ids == RED].mean()
    assert np.median(middles) > rings + 3


def test_defocus_softens_the_picture_and_leaves_the_truth(microscope):
    sharp, soft = microscope.view((0.0, 0.0)), microscope.view((0.0, 0.0), z_um=4.0)
    assert np.array_equal(sharp.class_ids, soft.class_ids)
    detail = [np.abs(np.diff(v.pixels[:, :, 1].astype(float)[::4, ::4], axis=1)).mean() for v in (sharp, soft)]
    assert detail[1] < 0.8 * detail[0]


def test_the_noise_changes_between_moments_and_the_cells_do_not(microscope):
    first, second = microscope.view((0.0, 0.0), moment=1), microscope.view((0.0, 0.0), moment=2)
    apart = first.pixels.astype(int) - second.pixels
    assert 0.5 < apart.std() < 5
    assert first.cells == second.cells


@pytest.mark.parametrize(
    "wrong",
    [
        {"stain": "green"},
        {"white_cells_per_view": 9},
        {"red_cell_px": 2},
        {"height": 3},
        {"z_um": 99.0},
        {"width": 9000},
    ],
)
def test_what_cannot_be_simulated_is_refused_with_what_can(wrong):
    with pytest.raises(DeviceError, match=r"choose one of lilac|give [-0-9]+ to"):
        render_view(**wrong)
