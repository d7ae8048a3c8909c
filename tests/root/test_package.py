"""What a user gets by installing hemonode: a package that is complete and works by itself."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest

from hemonode.device.smear import render_view

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("device", "runtime", "train", "export", "calibration", "benchmarks")


def test_every_module_of_the_repository_is_in_the_wheel(installed_wheel) -> None:
    packed = set(zipfile.ZipFile(installed_wheel.wheel).namelist())
    for folder in FOLDERS:
        for file in (REPOSITORY / folder).rglob("*.py"):
            assert f"hemonode/{file.relative_to(REPOSITORY)}" in packed


def test_the_page_the_recipes_and_the_model_are_in_the_wheel(installed_wheel) -> None:
    packed = set(zipfile.ZipFile(installed_wheel.wheel).namelist())
    assert {"hemonode/py.typed", "hemonode/runtime/web/static/index.html"} <= packed
    assert "hemonode/train/recipes/first_light.toml" in packed
    assert "hemonode/train/recipes/datasets/bccd.toml" in packed
    assert any(name.endswith(".hemo/bundle.json") for name in packed)


def test_the_shipped_model_stays_below_24_megabytes() -> None:
    assets = REPOSITORY / "runtime" / "assets"
    assert 0 < sum(file.stat().st_size for file in assets.rglob("*") if file.is_file()) < 24e6


def test_help_answers_from_the_wheel_in_an_empty_folder(installed_wheel, tmp_path: Path) -> None:
    answer = installed_wheel.run("--help", cwd=tmp_path)
    assert answer.returncode == 0
    for command in ("train", "evaluate", "export", "run", "live", "data"):
        assert command in answer.stdout


def test_the_shipped_model_counts_a_smear_from_the_wheel(installed_wheel, tmp_path: Path) -> None:
    view = render_view(seed=4, height=480, width=640)
    cv2.imwrite(str(tmp_path / "smear.png"), view.pixels)
    asked = ("run", "smear.png", "-o", "out", "--um-per-px", str(view.um_per_px))
    answer = installed_wheel.run(*asked, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    row = next(csv.DictReader((tmp_path / "out" / "counts.csv").open()))
    true = sum(cell.class_id == 2 for cell in view.cells)
    assert abs(int(row["red_cell"]) - true) <= max(0.3 * true, 3)
    assert cv2.imread(str(tmp_path / "out" / "masks" / "smear.png"), cv2.IMREAD_UNCHANGED).shape == (480, 640)


@pytest.mark.parametrize(
    "load",
    ["import hemonode.runtime.engines.onnxruntime_session as s; s.session_options(1)", "import hemonode, openvino"],
)
def test_libraries_report_nothing_to_their_makers(load: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    # Both write an identifier of the machine before they send anything.
    homes = {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", load], env=environment | homes, check=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_every_target_of_the_makefile_can_be_made() -> None:
    first = next(line for line in (REPOSITORY / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    command = ["make", "--dry-run", *first.split()[1:]]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
