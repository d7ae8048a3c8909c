"""A picture of any size and scale comes back with its own mask and all of its cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from hemonode.errors import EngineError, PictureError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.tiling import plan_tiles

RED, WHITE, PLATELET = 2, 1, 3


@pytest.fixture(scope="module")
def segmenter(colour_bundle: Bundle) -> Iterator[Segmenter]:
    with Segmenter(colour_bundle, engine="cpu", precision="fp32", threads=1) as opened:
        yield opened


def _scattered(height: int, width: int, diameter: float, seed: int = 0) -> list[tuple[int, float, float, float]]:
    """One red cell in each square of a grid, well apart, every seventh a white cell."""
    rng = np.random.default_rng(seed)
    pitch = diameter * 2.4
    places = [(x, y) for y in np.arange(pitch, height - pitch, pitch) for x in np.arange(pitch, width - pitch, pitch)]
    discs = []
    for index, (x, y) in enumerate(places):
        dx, dy = rng.uniform(-0.1, 0.1, 2) * diameter
        white = index % 7 == 3
        discs.append((WHITE if white else RED, float(x + dx), float(y + dy), diameter * (2.0 if white else 1.0)))
    return discs


def test_every_drawn_cell_is_found_where_it_is(segmenter: Segmenter, draw_cells) -> None:
    discs = [(RED, 100.0, 90.0, 80.0), (WHITE, 300.0, 200.0, 160.0), (RED, 480.0, 120.0, 80.0)]
    found = segmenter.segment(draw_cells(360, 600, discs), red_cell_px=80)
    assert len(found.cells) == 3
    for class_id, x, y, diameter in discs:
        cell = min(found.cells, key=lambda cell: (cell.x - x) ** 2 + (cell.y - y) ** 2)
        assert cell.class_id == class_id
        assert abs(cell.x - x) < diameter / 8
        assert abs(cell.y - y) < diameter / 8
        assert abs(cell.width - diameter) < diameter / 5


def test_the_mask_has_the_pictures_own_size_and_classes(segmenter: Segmenter, draw_cells) -> None:
    found = segmenter.segment(draw_cells(361, 603, [(RED, 200.0, 180.0, 90.0)]), red_cell_px=90)
    assert found.class_ids.shape == (361, 603)
    assert found.class_ids.dtype == np.uint8
    assert found.class_ids[180, 200] == RED
    area = np.count_nonzero(found.class_ids == RED)
    assert abs(area / (np.pi / 4 * 90**2) - 1) < 0.1


def test_a_large_picture_in_tiles_gives_what_one_frame_gives(colour_bundle: Bundle, draw_cells) -> None:
    picture = draw_cells(900, 1300, _scattered(900, 1300, 40))
    results = []
    for tile_px in (256, 4096):
        with Segmenter(colour_bundle, engine="cpu", precision="fp32", threads=1, tile_px=tile_px) as opened:
            results.append(opened.segment(picture, red_cell_px=40))
    tiled, whole = results
    assert (tiled.class_ids == whole.class_ids).mean() > 0.9999
    assert sorted((cell.class_id, cell.x, cell.y) for cell in tiled.cells) == sorted(
        (cell.class_id, cell.x, cell.y) for cell in whole.cells
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (64, 64), (512, 512), (513, 700), (3000, 130)])
def test_tile_cores_cover_a_picture_exactly_once(colour_bundle: Bundle, height: int, width: int) -> None:
    record = colour_bundle.manifest.input
    plan = plan_tiles(height, width, record, 256)
    covered = np.zeros((height, width), int)
    for tile in plan.tiles:
        covered[tile.core_top : tile.core_bottom, tile.core_left : tile.core_right] += 1
        assert tile.core_left == 0 or tile.core_left - tile.left >= record.reach_px
        assert tile.core_right == width or tile.left + plan.frame_width - tile.core_right >= record.reach_px
    assert (covered == 1).all()


def test_micrometres_per_pixel_set_the_scale(segmenter: Segmenter, draw_cells) -> None:
    found = segmenter.segment(draw_cells(300, 300, [(RED, 150.0, 150.0, 75.0)]), um_per_px=0.1)
    assert found.red_cell_px == pytest.approx(75)
    assert found.scale_source == "um_per_px"


@pytest.mark.parametrize("diameter", [34, 60, 95, 130])
def test_without_a_scale_the_red_cells_are_measured(segmenter: Segmenter, draw_cells, diameter: int) -> None:
    side = diameter * 9
    found = segmenter.segment(draw_cells(side, side, _scattered(side, side, diameter)))
    assert found.scale_source == "estimated"
    assert abs(np.log(found.red_cell_px / diameter)) < np.log(1.25), "the model is trained to bear a quarter"


def test_an_empty_field_without_a_scale_asks_for_one(segmenter: Segmenter, draw_cells) -> None:
    with pytest.raises(PictureError, match="--red-cell-px"):
        segmenter.segment(draw_cells(300, 300, []))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (200, 20000), (3, 500)])
def test_extreme_sizes_come_back_in_their_size(segmenter: Segmenter, height: int, width: int) -> None:
    found = segmenter.segment(np.full((height, width, 3), 215, np.uint8), red_cell_px=90)
    assert found.class_ids.shape == (height, width)
    assert Counter(cell.class_id for cell in found.cells) == Counter()


def test_after_an_engine_failed_to_open_the_next_picture_is_segmented(
    colour_bundle: Bundle, draw_cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = draw_cells(128, 128, [(RED, 64.0, 64.0, 40.0)]), draw_cells(200, 200, [])
    with Segmenter(colour_bundle, engine="cpu", precision="fp32", threads=1) as opened:
        opened.segment(small, red_cell_px=40)
        with monkeypatch.context() as patched:
            patched.setattr("hemonode.runtime.engines.shelf.open_engine", _no_engine)
            with pytest.raises(EngineError):
                opened.segment(large, red_cell_px=40)
        assert len(opened.segment(small, red_cell_px=40).cells) == 1


def _no_engine(*_: object, **__: object) -> None:
    raise EngineError("no memory")


def test_the_scale_is_measured_with_one_engine_where_the_start_counts(colour_bundle: Bundle, draw_cells) -> None:
    cells = [(RED, 50.0 + 60 * (i % 8), 50.0 + 60 * (i // 8), 40.0) for i in range(48)]
    picture = draw_cells(420, 530, cells)
    with Segmenter(colour_bundle, engine="cpu", precision="fp32", threads=1) as usual:
        assert usual.measure_red_cell_px(picture) == pytest.approx(40, rel=0.15)
        many = len(usual.engines.taken_bytes)
    with Segmenter(colour_bundle, engine="cpu", precision="fp32", threads=1, quick_start=True) as quick:
        assert quick.measure_red_cell_px(picture) == pytest.approx(40, rel=0.15)
        # And the smallest, which is opened to see whether any can be.
        assert len(quick.engines.taken_bytes) == 2 < many
