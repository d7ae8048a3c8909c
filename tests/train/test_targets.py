"""What the network is shown: crops whose labels stay on their cells, and nothing claimed where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.train.augment import Augmentation, WorkingSample
from hemonode.train.data.sample import Box
from hemonode.train.losses import heat_loss, mask_loss
from hemonode.train.targets import clip_box, heat_map
from hemonode.train.weak_masks import complete_mask, mask_from_boxes


@pytest.fixture
def sample() -> WorkingSample:
    """A dark red disc with a white-cell disc beside it, on a bright ground, labelled exactly."""
    rows, columns = np.mgrid[:200, :240]
    mask = np.zeros((200, 240), np.uint8)
    mask[(rows - 60) ** 2 + (columns - 70) ** 2 < 25**2] = 2
    mask[(rows - 130) ** 2 + (columns - 160) ** 2 < 45**2] = 1
    pixels = np.array([[225, 220, 225], [160, 60, 90], [120, 120, 190]], np.uint8)[mask]
    boxes = (Box(2, 70.5, 60.5, 50, 50), Box(1, 160.5, 130.5, 90, 90))
    return WorkingSample(pixels, mask, boxes, (1, 2), 50.0, hand_mask=True)


def test_labels_stay_on_their_cells_through_every_augmentation(sample: WorkingSample) -> None:
    augmentation = Augmentation(
        160, 40.0, PreprocessingRecord(clahe_clip_limit=2, clahe_tiles=(8, 8)), (1, 2, 3), 0.25, 1
    )
    peaks = 0
    for seed in range(60):
        crop = augmentation(sample, np.random.default_rng(seed))
        assert crop.pixels.shape == (160, 160, 3)
        assert not crop.heat_weight[2].any(), "platelets of this picture are not labelled"
        for plane, class_id in ((0, 1), (1, 2)):
            for row, column in np.argwhere((crop.heat[plane] >= 1) & (crop.heat_weight[plane] > 0.9)):
                peaks += 1
                patch = crop.mask[row * 4 : row * 4 + 4, column * 4 : column * 4 + 4]
                assert class_id in patch
    assert peaks > 50


def test_the_same_chance_gives_the_same_crop(sample: WorkingSample) -> None:
    augmentation = Augmentation(96, 40.0, PreprocessingRecord(clahe_clip_limit=2, clahe_tiles=(8, 8)), (1, 2), 0.25, 1)
    first, second = (augmentation(sample, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.heat, second.heat)


def test_a_cut_cells_centre_is_that_of_its_visible_part() -> None:
    part = clip_box(Box(2, 0.0, 50.0, 40.0, 40.0), 100, 100)
    assert part is not None
    assert (part.x, part.width) == (10.0, 20.0)
    assert clip_box(Box(2, -19.0, 50.0, 40.0, 40.0), 100, 100) is None


def test_touching_cells_keep_two_peaks() -> None:
    boxes = (Box(2, 40.0, 40.0, 40.0, 40.0), Box(2, 72.0, 40.0, 40.0, 40.0))
    heat, _ = heat_map(boxes, (2,), (2,), np.ones((80, 112), bool))
    row = heat[0, 10]
    assert row[10] == row[18] == 1
    assert row[14] < 0.2


def test_a_picture_without_boxes_gives_no_heat_map_loss() -> None:
    heat, weight = heat_map(None, (), (1, 2), np.ones((32, 32), bool))
    logits = torch.randn(1, 2, 8, 8)
    assert heat_loss(logits, torch.from_numpy(heat)[None], torch.from_numpy(weight)[None]) == 0


def test_a_perfect_answer_costs_less_than_a_wrong_one() -> None:
    mask = torch.randint(0, 4, (1, 16, 16))
    right = torch.nn.functional.one_hot(mask, 4).movedim(-1, 1).float() * 20
    weights = torch.ones(4)
    assert mask_loss(right, mask, weights) < 0.01
    assert mask_loss(right.roll(1, 1), mask, weights) > 5


def test_unlabelled_pixels_cost_nothing() -> None:
    mask = torch.full((1, 16, 16), 255)
    assert mask_loss(torch.randn(1, 4, 16, 16), mask, torch.ones(4)) == 0


def test_boxes_and_colour_together_give_a_partial_mask(sample: WorkingSample) -> None:
    mask = mask_from_boxes(sample.pixels, sample.boxes, 50.0, background_known=True)
    known = mask != 255
    assert known.mean() > 0.8
    assert (mask[known] == sample.mask[known]).mean() > 0.99


def test_a_mask_of_white_cells_alone_is_completed_by_colour(sample: WorkingSample) -> None:
    given = np.where(sample.mask == 1, 1, 255).astype(np.uint8)
    mask = complete_mask(sample.pixels, given, 50.0, foreground_id=2)
    known = mask != 255
    assert set(np.unique(mask[known])) == {0, 1, 2}
    assert (mask[known] == sample.mask[known]).mean() > 0.99
