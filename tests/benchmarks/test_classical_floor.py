from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from hemonode.benchmarks.classical_floor import TuningPicture, choose_parameters, main, mean_f1
from hemonode.runtime.counting.cells import Cell
from hemonode.train.classical import ClassicalFloor, FloorParameters
from hemonode.train.data.dataset import load_dataset
from hemonode.train.data.sample import Box, Sample
from hemonode.train.evaluate import evaluate

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("HEMONODE_DATA", REPOSITORY.parent / "shared" / "data"))

BACKGROUND, RED, STAINED = (205, 205, 205), (160, 150, 195), (190, 90, 120)
# White cell, two red cells that touch, one alone, one cut by the left edge, a platelet.
DISCS = [(1, 60, 60, 60), (2, 140, 60, 40), (2, 176, 60, 40), (2, 60, 150, 40), (2, 0, 110, 40), (3, 150, 140, 16)]


def smear(factor=1.0):
    side = round(220 * factor)
    pixels = np.full((side, side, 3), BACKGROUND, np.uint8)
    for class_id, x, y, diameter in DISCS:
        centre, radius = (round(x * factor), round(y * factor)), round(diameter * factor / 2)
        cv2.circle(pixels, centre, radius, RED if class_id == 2 else STAINED, -1, cv2.LINE_AA)
    noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def sample(factor=1.0):
    return Sample("drawn", Path("drawn.png"), smear(factor), None, None, (), 40 * factor, "drawn")


def boxes():
    return tuple(Box(class_id, max(x, diameter / 4), y, diameter, diameter) for class_id, x, y, diameter in DISCS)


def counted(cells: tuple[Cell, ...]):
    return {class_id: sum(cell.class_id == class_id for cell in cells) for class_id in (1, 2, 3)}


@pytest.mark.parametrize("factor", [0.8, 1.0, 2.3])
def test_drawn_cells_are_found_at_any_magnification(factor):
    found = ClassicalFloor().segment(sample(factor))
    assert counted(found.cells) == {1: 1, 2: 4, 3: 1}
    assert found.class_ids.shape == sample(factor).pixels.shape[:2]
    at = found.class_ids[
        [round(y * factor) for y in (60, 150, 140, 200)], [round(x * factor) for x in (60, 60, 150, 200)]
    ]
    assert at.tolist() == [1, 2, 3, 0]


def test_a_cell_on_the_left_edge_is_in_the_counting_frame():
    cut = [cell for cell in ClassicalFloor().segment(sample()).cells if cell.class_id == 2 and cell.x < 20]
    assert [cell.in_frame for cell in cut] == [True]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_picture_has_a_result(value):
    plain = Sample("plain", Path("plain.png"), np.full((90, 120, 3), value, np.uint8), None, None, (), 40.0, "plain")
    assert ClassicalFloor().segment(plain).class_ids.shape == (90, 120)


def test_tuning_keeps_the_parameters_that_find_the_cells():
    picture = TuningPicture("drawn", smear(), boxes(), (1, 2, 3))
    blind = {"red_radius": (0.9, 0.25), "white_area": (9.0, 0.4)}
    chosen = choose_parameters([picture], blind, Console(quiet=True))
    assert (chosen.red_radius, chosen.white_area) != (0.9, 9.0)
    assert mean_f1([picture], chosen) == 1
    assert mean_f1([picture], FloorParameters(red_radius=0.9)) < 1


def test_the_floor_on_real_smears_stays_what_it_was_measured_to_be():
    root = DATA / "bccd"
    if not root.is_dir():
        pytest.skip(f"no labelled smears at {root}; set HEMONODE_DATA to the folder that holds bccd")
    dataset = load_dataset(REPOSITORY / "train" / "recipes" / "datasets" / "bccd_hand.toml", root)
    result = evaluate(ClassicalFloor(), dataset, "val").segmentation
    assert result.pictures == 62
    assert 0.5 < result.miou.value < 0.9


def test_the_floor_alone_writes_its_table_into_a_folder_it_makes(tmp_path):
    for name in ("images", "boxes"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), smear())
    lines = [f"{b.class_id - 1} {b.x / 220} {b.y / 220} {b.width / 220} {b.height / 220}" for b in boxes()]
    (tmp_path / "boxes" / "a.txt").write_text("\n".join(lines))
    (tmp_path / "dataset.toml").write_text(
        'name = "drawn"\nlicence = "none"\nred_cell_px = 40.0\n[[labels]]\nformat = "yolo"\npath = "boxes"\n'
        "classes = { 0 = 1, 1 = 2, 2 = 3 }\ncomplete = [1, 2, 3]\n"
    )
    arguments = ["--data", str(tmp_path / "dataset.toml"), "--split", "train", "-o", str(tmp_path / "new" / "out")]
    app = typer.Typer()
    app.command()(main)
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "| red_cell F1 | 4 cells | 1.000 |" in (tmp_path / "new" / "out" / "evaluation.md").read_text()
