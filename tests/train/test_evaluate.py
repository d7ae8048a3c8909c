from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from hemonode.cli import build_app
from hemonode.errors import DatasetError
from hemonode.runtime.segment import Segmenter
from hemonode.train.data.dataset import load_dataset
from hemonode.train.evaluate import evaluate
from hemonode.train.metrics.method import BundleMethod

SIDE = 200
CELLS = [(2, 50, 50, 40), (2, 120, 60, 40), (1, 60, 140, 80), (3, 150, 150, 16)]
CUT = [(2, 50, 50, 40), (2, 200, 100, 40), (2, 0, 150, 40)]

DESCRIPTION = """
name = "drawn"
licence = "none"
red_cell_px = 40.0
{masks}
{boxes}
[split]
carve = [{{ to = "val", last = 2 }}]
"""
MASKS = """
[[labels]]
format = "mask"
path = "masks"
"""
BOXES = """
[[labels]]
format = "yolo"
path = "boxes"
classes = { 0 = 1, 1 = 2, 2 = 3 }
complete = [1, 2, 3]
"""


def draw_mask(discs):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for class_id, x, y, diameter in discs:
        cv2.circle(mask, (x, y), diameter // 2, class_id, -1)
    return mask


def yolo(discs):
    lines = []
    for class_id, x, y, diameter in discs:
        x0, x1 = max(x - diameter / 2, 0), min(x + diameter / 2, SIDE)
        lines.append(f"{class_id - 1} {(x0 + x1) / 2 / SIDE} {y / SIDE} {(x1 - x0) / SIDE} {diameter / SIDE}")
    return "\n".join(lines)


@pytest.fixture
def folder(tmp_path, draw_cells):
    """Three drawn pictures: `a` trains, `b` and `c` validate."""
    for name in ("images", "masks", "boxes"):
        (tmp_path / name).mkdir()
    for name, discs in (("a", CELLS), ("b", CELLS), ("c", CUT)):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), draw_cells(SIDE, SIDE, discs))
        cv2.imwrite(str(tmp_path / "masks" / f"{name}.png"), draw_mask(discs))
        (tmp_path / "boxes" / f"{name}.txt").write_text(yolo(discs))
    return tmp_path


def describe(folder, masks=MASKS, boxes=BOXES):
    path = folder / "dataset.toml"
    path.write_text(DESCRIPTION.format(masks=masks, boxes=boxes))
    return path


@pytest.fixture
def method(colour_bundle):
    with Segmenter(colour_bundle, engine="cpu") as segmenter:
        yield BundleMethod(segmenter)


def by_class(results):
    return {entry.class_id: entry for entry in results}


def test_a_model_that_finds_every_drawn_cell_is_judged_so(folder, method):
    result = evaluate(method, load_dataset(describe(folder)), "val")
    assert result.pictures == 2
    assert result.scale_ratio == 1
    assert result.segmentation.miou.value > 0.9
    assert {key: entry.f1.value for key, entry in by_class(result.detection).items()} == {1: 1, 2: 1, 3: 1}
    assert {entry.accuracy.value for entry in result.counting} == {1}


def test_the_counting_frame_leaves_out_the_cell_on_the_right_edge_in_truth_and_in_prediction(folder, method):
    result = evaluate(method, load_dataset(describe(folder)), "val")
    red = {entry.rule: entry for entry in result.counting if entry.class_id == 2}
    assert (red["visible"].true, red["visible"].predicted) == (5, 5)
    assert (red["in_frame"].true, red["in_frame"].predicted) == (4, 4)


def test_a_missed_cell_lowers_recall_and_count_alone(folder, method):
    (folder / "boxes" / "c.txt").write_text(yolo([*CUT, (2, 120, 180, 38)]))
    red = by_class(evaluate(method, load_dataset(describe(folder)), "val").detection)[2]
    assert red.precision.value == 1
    assert red.recall.value == pytest.approx(5 / 6)


def test_masks_alone_give_no_counts_and_boxes_alone_no_pixel_figures(folder, method):
    masks_only = evaluate(method, load_dataset(describe(folder, boxes="")), "val")
    assert masks_only.detection == ()
    assert masks_only.counting == ()
    assert masks_only.segmentation is not None
    boxes_only = evaluate(method, load_dataset(describe(folder, masks="")), "val")
    assert boxes_only.segmentation is None
    assert boxes_only.detection


def test_platelets_that_the_masks_never_show_count_as_background(folder, method):
    for name in "bc":
        path = folder / "masks" / f"{name}.png"
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), np.where(mask == 3, 0, mask).astype(np.uint8))
    result = evaluate(method, load_dataset(describe(folder, boxes="")), "val").segmentation
    assert result.as_background == (3,)
    assert [entry.class_id for entry in result.classes] == [0, 1, 2]
    assert result.miou.value > 0.9


def test_a_split_without_usable_labels_is_refused(folder, method):
    incomplete = BOXES.replace("complete = [1, 2, 3]", "")
    with pytest.raises(DatasetError, match="neither masks nor complete boxes"):
        evaluate(method, load_dataset(describe(folder, masks="", boxes=incomplete)), "val")


def test_classes_that_mean_something_else_are_refused(folder, method):
    description = describe(folder)
    classes = '\n[[classes]]\nid = {}\nname = "{}"\ncolour_rgb = [0, 0, 0]\ncountable = true\n'
    names = ["background", "red_cell", "white_cell", "platelet"]
    description.write_text(
        description.read_text() + "".join(classes.format(index, name) for index, name in enumerate(names))
    )
    with pytest.raises(DatasetError, match="class 1 is red_cell in drawn but white_cell in colours"):
        evaluate(method, load_dataset(description), "val")


def test_the_command_shows_model_and_floor_in_one_table_and_writes_both_files(folder, colour_bundle):
    out = folder / "out"
    arguments = ["evaluate", str(colour_bundle.folder), "--data", str(describe(folder)), "--engine", "cpu"]
    shown = CliRunner().invoke(build_app(), [*arguments, "--floor", "-o", str(out)], env={"COLUMNS": "140"})
    assert shown.exit_code == 0, shown.output
    text = (out / "evaluation.md").read_text()
    for place in (shown.output, text):
        assert "colours" in place
        assert "classical floor" in place
        assert "red_cell F1" in place
        assert "not a diagnostic device" in place
    record = json.loads((out / "evaluation.json").read_text())
    assert [entry["method"] for entry in record["evaluations"]] == ["colours", "classical floor"]
    assert record["evaluations"][0]["details"]["bundle sha256"] == colour_bundle.sha256


def test_json_on_the_command_line_can_be_read_by_a_program(folder, colour_bundle):
    arguments = ["evaluate", str(colour_bundle.folder), "--data", str(describe(folder)), "--engine", "cpu", "--json"]
    shown = CliRunner().invoke(build_app(), arguments)
    assert json.loads(shown.stdout)["evaluations"][0]["pictures"] == 2


def test_an_output_that_is_a_file_is_refused_before_any_work(folder, colour_bundle):
    (folder / "taken").write_text("")
    arguments = ["evaluate", str(colour_bundle.folder), "--data", str(describe(folder)), "-o", str(folder / "taken")]
    assert "taken cannot be made" in str(CliRunner().invoke(build_app(), arguments).exception)


def test_an_unknown_data_set_is_refused_with_the_names_of_the_shipped_ones(colour_bundle):
    shown = CliRunner().invoke(build_app(), ["evaluate", str(colour_bundle.folder), "--data", "nothing"])
    assert "no data set 'nothing'" in str(shown.exception)
    assert "bccd" in str(shown.exception)


def test_a_picture_whose_scale_cannot_be_measured_is_named(folder, colour_bundle):
    cv2.imwrite(str(folder / "images" / "c.png"), np.full((SIDE, SIDE, 3), 215, np.uint8))
    arguments = ["evaluate", str(colour_bundle.folder), "--data", str(describe(folder)), "--engine", "cpu"]
    shown = CliRunner().invoke(build_app(), [*arguments, "--split", "val", "--estimate-scale"])
    assert shown.exit_code == 1
    assert ".png: no red cells" in str(shown.exception)


def test_one_root_too_few_is_bad_usage(folder, colour_bundle):
    arguments = ["evaluate", "--data", "bccd", "--data", "txl", "--root", str(folder)]
    assert CliRunner().invoke(build_app(), arguments).exit_code == 2
