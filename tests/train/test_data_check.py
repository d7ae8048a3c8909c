"""`hemonode data check` finds what would spoil a training, and draws what it read."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from hemonode.errors import OutputError
from hemonode.train.data import commands
from hemonode.train.data.check import check_dataset
from hemonode.train.data.dataset import load_dataset
from hemonode.train.data.duplicates import overlapping_views, pixel_hash, thumbnail

DESCRIPTION = """
name = "toy"
licence = "MIT"
red_cell_px = 20
[[labels]]
format = "yolo"
path = "boxes"
classes = { 0 = 1 }
complete = [1]
[[split.carve]]
to = "val"
last = 1
"""


def smear(seed, height=150, width=200):
    """A picture with blobs at random places."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 220, np.uint8)
    for x, y, radius in zip(
        random.integers(0, width, 25), random.integers(0, height, 25), random.integers(6, 16, 25), strict=True
    ):
        cv2.circle(picture, (int(x), int(y)), int(radius), random.integers(60, 200, 3).tolist(), -1)
    return picture


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "boxes").mkdir()
    (tmp_path / "dataset.toml").write_text(DESCRIPTION)
    for seed, name in enumerate("abcd"):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), smear(seed))
        (tmp_path / "boxes" / f"{name}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    return tmp_path


def found(folder):
    report = check_dataset(load_dataset(folder / "dataset.toml"))
    return [(finding.level, finding.kind, finding.pictures) for finding in report.findings]


def test_a_clean_data_set_has_no_findings(folder):
    assert found(folder) == []


def test_broken_pairs_and_labels_are_found(folder):
    (folder / "images" / "a.png").write_bytes((folder / "images" / "a.png").read_bytes()[:500])
    (folder / "boxes" / "b.txt").unlink()
    (folder / "boxes" / "c.txt").write_text("0 0.5 0.5 0 0.2\n")
    (folder / "boxes" / "z.txt").write_text("")
    assert found(folder) == [
        ("error", "labels", ("b",)),
        ("error", "unreadable_picture", ("a",)),
        ("warning", "label_dropped", ("c",)),
        ("warning", "label_without_picture", ("z",)),
        ("warning", "no_cells", ("c",)),
    ]


@pytest.mark.parametrize(
    "change", [lambda p: p, lambda p: p[:, ::-1], lambda p: np.rot90(p)], ids=["same", "mirrored", "turned"]
)
def test_the_same_pixels_in_two_splits_are_a_leak(folder, change):
    cv2.imwrite(str(folder / "images" / "d.png"), change(smear(0)))
    assert found(folder) == [("error", "same_pixels", ("a", "d"))]
    cv2.imwrite(str(folder / "images" / "d.png"), smear(9))
    cv2.imwrite(str(folder / "images" / "c.png"), change(smear(0)))
    assert found(folder) == [("warning", "same_pixels", ("a", "c"))]


def test_overlapping_views_in_two_splits_are_a_warning(folder):
    wide = smear(5, 190, 260)
    cv2.imwrite(str(folder / "images" / "a.png"), wide[:150, :200])
    cv2.imwrite(str(folder / "images" / "d.png"), wide[40:, 60:])
    assert found(folder) == [("warning", "near_duplicate", ("a", "d"))]


def test_a_group_parted_by_the_table_is_an_error(folder):
    (folder / "index.csv").write_text("n,s\na,train\nb,train\nc,train\nd,val\n")
    text = DESCRIPTION.split("[[split")[0] + '[groups]\ntogether = [["a", "d"]]\n'
    table = '[split.table]\npath = "index.csv"\nname_column = "n"\nsplit_column = "s"\n'
    (folder / "dataset.toml").write_text(text + table)
    assert found(folder) == [("error", "parted_group", ("a", "d"))]


def test_different_pictures_are_not_alike():
    thumbnails = np.stack([thumbnail(smear(seed)) for seed in range(30)])
    assert list(overlapping_views(thumbnails, np.ones((30, 30), bool))) == []
    assert len({pixel_hash(smear(seed)) for seed in range(30)}) == 30


@pytest.fixture
def check():
    app = typer.Typer()
    app.callback()(lambda: None)
    commands.register(app)
    return lambda *arguments: CliRunner().invoke(app, ["data", "check", *map(str, arguments)])


def test_the_command_exits_with_1_only_on_errors(folder, check):
    (folder / "boxes" / "z.txt").write_text("")
    answer = check(folder)
    assert answer.exit_code == 0
    assert "0 errors, 1 warnings" in answer.stdout
    (folder / "boxes" / "b.txt").unlink()
    answer = check(folder / "dataset.toml")
    assert answer.exit_code == 1
    assert "b.txt" in answer.stdout


def test_json_has_every_finding_and_nothing_else(folder, check):
    (folder / "boxes" / "b.txt").unlink()
    report = json.loads(check(folder, "--json").stdout)
    assert report["pictures"] == {"train": 3, "val": 1}
    assert report["boxes"] == {"white_cell": 3}
    assert [finding["kind"] for finding in report["findings"]] == ["labels"]


def test_the_sheet_shows_boxes_and_broken_pictures(folder, check):
    (folder / "images" / "b.png").write_text("no picture")
    assert check(folder, "-o", folder / "sheet.png").exit_code == 1
    sheet = cv2.imread(str(folder / "sheet.png"))
    blue = (sheet == (178, 114, 0)).all(axis=2)
    assert blue[:, 600:].sum() > 100, "the white-cell boxes"
    assert (sheet == (40, 40, 220)).all(axis=2).sum() > 300, "the cross"


def test_a_sheet_of_another_kind_is_refused(folder, check):
    answer = check(folder, "-o", folder / "sheet.docx")
    assert isinstance(answer.exception, OutputError)
    assert "sheet.docx" in str(answer.exception)
