"""A dataset.toml turns a folder into samples, or says in one sentence why it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.errors import DatasetError, PictureError
from hemonode.train.data.dataset import load_dataset

HEAD = 'name = "toy"\nlicence = "MIT"\nred_cell_px = 20\n'
MASKS = '[[labels]]\nformat = "mask"\npath = "masks"\n'
BOXES = '[[labels]]\nformat = "yolo"\npath = "boxes"\nclasses = { 0 = 1, 1 = 2 }\ncomplete = [1, 2]\n'
UNLABELLED = 'missing = "unlabelled"\n'


@pytest.fixture
def toy(tmp_path):
    """Six pictures a0 to c1 with masks and boxes, and a function that loads them by a description."""
    random = np.random.default_rng(0)
    for folder in ("images", "masks", "boxes"):
        (tmp_path / folder).mkdir()
    for name in ("a0", "a1", "b0", "b1", "c0", "c1"):
        picture = random.integers(0, 255, (40, 60, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), picture)
        cv2.imwrite(str(tmp_path / "masks" / f"{name}.png"), np.full((40, 60), 2, np.uint8))
        (tmp_path / "boxes" / f"{name}.txt").write_text("0 0.5 0.5 0.5 0.5\n")

    def load(text):
        (tmp_path / "dataset.toml").write_text(text)
        return load_dataset(tmp_path / "dataset.toml")

    load.folder = tmp_path
    return load


def test_a_sample_has_all_that_its_folder_knows(toy):
    dataset = toy(HEAD + MASKS + BOXES)
    sample = dataset.read(dataset.entries()[0])
    assert (sample.name, sample.group, sample.red_cell_px) == ("a0", "a0", 20)
    assert sample.pixels.shape == (40, 60, 3)
    assert sample.mask.shape == (40, 60)
    assert [box.class_id for box in sample.boxes] == [1]
    assert sample.complete_ids == (1, 2)
    assert [entry.name for entry in dataset.classes] == ["background", "white_cell", "red_cell", "platelet"]


def test_a_picture_without_labels_is_an_error_or_unlabelled_or_left_out(toy):
    (toy.folder / "boxes" / "b0.txt").unlink()
    strict = toy(HEAD + BOXES)
    with pytest.raises(DatasetError, match=r"b0\.txt"):
        strict.read(strict.entries()[2])
    lenient = toy(HEAD + BOXES + UNLABELLED)
    sample = lenient.read(lenient.entries()[2])
    assert (sample.boxes, sample.complete_ids) == (None, ())
    assert len(toy(HEAD + BOXES + 'missing = "leave_out"\n').entries()) == 5


def test_completeness_may_depend_on_the_size_of_the_picture(toy):
    dataset = toy(HEAD + BOXES + 'complete_by_size = { "60x40" = [1] }\n')
    assert dataset.read(dataset.entries()[0]).complete_ids == (1,)
    assert dataset.complete_ids(dataset.entries()[0], height=41, width=60) == (1, 2)


def test_red_cells_are_measured_on_boxes_off_the_border(toy):
    (toy.folder / "boxes" / "a0.txt").write_text(
        "1 0.5 0.5 0.2 0.3\n" * 4 + "0 0.5 0.5 0.9 0.9\n" + "1 0.05 0.5 0.1 0.1\n" * 9
    )
    dataset = toy(HEAD.replace("20", '"boxes"') + BOXES)
    assert dataset.read(dataset.entries()[0]).red_cell_px == pytest.approx(12)
    assert dataset.read(dataset.entries()[1]).red_cell_px == pytest.approx(12), "the usual size of such pictures"
    (toy.folder / "boxes" / "a0.txt").write_text("")
    dataset = toy(HEAD.replace("20", '"boxes"') + BOXES)
    with pytest.raises(DatasetError, match="give red_cell_px"):
        dataset.read(dataset.entries()[0])


def splits_of(dataset):
    return {split: [entry.name for entry in dataset.entries(split)] for split in dataset.splits}


def test_groups_go_to_a_split_together(toy):
    carve = (
        '[groups]\npattern = "^(.)"\n[[split.carve]]\nto = "val"\nfirst = 1\n[[split.carve]]\nto = "tune"\nlast = 1\n'
    )
    assert splits_of(toy(HEAD + MASKS + carve)) == {"train": ["b0", "b1"], "tune": ["c0", "c1"], "val": ["a0", "a1"]}


def test_listed_pictures_join_the_groups_of_their_names(toy):
    text = '[groups]\ntogether = [["a0", "c1"]]\n[[split.carve]]\nto = "val"\nfirst = 1\n'
    assert splits_of(toy(HEAD + MASKS + text))["val"] == ["a0", "c1"]
    text = text.replace("[groups]", '[groups]\npattern = "^(.)"')
    assert splits_of(toy(HEAD + MASKS + text))["val"] == ["a0", "a1", "c0", "c1"]


def test_splits_come_from_a_table(toy):
    (toy.folder / "index.csv").write_text("name,part\n" + "".join(f"{n}{k},{n}\n" for n in "abc" for k in "01"))
    table = '[split.table]\npath = "index.csv"\nname_column = "name"\nsplit_column = "part"\n'
    assert splits_of(toy(HEAD + MASKS + table)) == {"a": ["a0", "a1"], "b": ["b0", "b1"], "c": ["c0", "c1"]}
    by_group = table + '[[split.carve]]\nfrom = "c"\nto = "d"\ngroups = ["c1"]\n'
    assert splits_of(toy(HEAD + MASKS + by_group))["d"] == ["c1"]
    (toy.folder / "index.csv").write_text("name,part\na0,a\n")
    with pytest.raises(DatasetError, match="no line for the picture a1"):
        toy(HEAD + MASKS + table)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "not valid TOML"),
        (HEAD, "labels: Field required"),
        (HEAD + MASKS.replace('"mask"', '"bitmap"'), "bitmap"),
        (HEAD + MASKS + "sufix = 1\n", "sufix"),
        (HEAD + BOXES.replace("1 = 2 ", "1 = 9 "), "class id 9"),
        (HEAD + MASKS.replace('"masks"', '"maps"'), "maps is missing"),
        (HEAD + '[images]\npath = "photos"\n' + MASKS, "photos is not a folder"),
        (HEAD + '[images]\npattern = "*.tif"\n' + MASKS, "no pictures that match"),
        (HEAD + MASKS + '[groups]\npattern = "^z(.)"\n', "does not match groups.pattern"),
        (HEAD + MASKS + '[groups]\npattern = "("\n', "groups.pattern"),
        (HEAD + MASKS + '[[split.carve]]\nto = "val"\nfirst = 7\n', "too few pictures"),
        (HEAD + MASKS + '[[split.carve]]\nto = "val"\nfirst = 1\nlast = 1\n', "exactly one of"),
        (HEAD + "[[classes]]\nid = 1\nname = 'x'\ncolour_rgb = [0, 0, 0]\ncountable = true\n" + MASKS, "background"),
    ],
)
def test_a_wrong_description_is_explained(toy, text, reason):
    with pytest.raises(DatasetError, match=reason):
        toy(text)


def test_wrong_masks_are_named_with_their_fault(toy):
    first = toy(HEAD + MASKS).entries()[0]
    path = toy.folder / "masks" / "a0.png"
    cv2.imwrite(str(path), np.full((40, 61), 2, np.uint8))
    with pytest.raises(DatasetError, match="61×40"):
        toy(HEAD + MASKS).read(first)
    cv2.imwrite(str(path), np.full((40, 60), 9, np.uint8))
    with pytest.raises(DatasetError, match="class id 9"):
        toy(HEAD + MASKS).read(first)
    cv2.imwrite(str(path), np.full((40, 60), 2, np.uint16))
    with pytest.raises(DatasetError, match="uint16"):
        toy(HEAD + MASKS).read(first)
    path.write_text("no picture")
    with pytest.raises(DatasetError, match="not a readable picture"):
        toy(HEAD + MASKS).read(first)
    (toy.folder / "images" / "a0.png").write_bytes(b"")
    with pytest.raises(PictureError, match="a0"):
        toy(HEAD + MASKS).read(first)


def test_an_unknown_split_is_answered_with_the_known_ones(toy):
    with pytest.raises(DatasetError, match="it has train"):
        toy(HEAD + MASKS).entries("val")


def test_two_pictures_of_one_stem_are_refused(toy):
    (toy.folder / "images" / "a0.bmp").write_bytes(b"")
    with pytest.raises(DatasetError, match="same stem"):
        toy(HEAD + MASKS)


RECIPES = Path(__file__).parents[2] / "train" / "recipes" / "datasets"
DATA = Path(os.environ.get("HEMONODE_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture
def real():
    def load(name, folder=None):
        root = DATA / (folder or name)
        if not root.is_dir():
            pytest.skip(f"real pictures are not at {root}; HEMONODE_DATA names the folder that holds them")
        return load_dataset(RECIPES / f"{name}.toml", root)

    return load


@pytest.mark.parametrize(
    ("name", "folder", "counts"),
    [
        ("bccd", "bccd", {"train": 144, "tune": 19, "val": 113}),
        ("bccd_hand", "bccd", {"val": 62}),
        ("txl", "txl", {"train": 847, "tune": 52, "val": 101}),
        ("bcisc", "bcisc", {"train": 154, "tune": 27, "val": 28}),
    ],
)
def test_real_splits_have_whole_groups_and_read(real, name, folder, counts):
    dataset = real(name, folder)
    assert {split: len(dataset.entries(split)) for split in dataset.splits} == counts
    groups = [{entry.group for entry in dataset.entries(split)} for split in dataset.splits]
    assert sum(map(len, groups)) == len(set().union(*groups)), "a group lies in two splits"
    sample = dataset.read(dataset.entries("tune" if name == "bccd" else "val")[0])
    assert 50 < sample.red_cell_px < 170
    assert sample.mask is not None or sample.boxes


def test_bccd_tunes_and_reports_on_pictures_with_complete_boxes(real):
    dataset = real("bccd")
    complete = {
        split: sum(bool(dataset.complete_ids(e, 480, 640)) for e in dataset.entries(split)) for split in dataset.splits
    }
    assert complete == {"train": 101, "tune": 19, "val": 34}
