"""`hemonode run` on real files: results as promised, bad pictures listed, nothing overwritten unasked."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from hemonode.cli import build_app
from hemonode.errors import HemonodeError, OutputError, PictureError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines.cpu import CpuEngine

DISCS = [(2, 20.0, 100.0, 80.0), (2, 200.0, 100.0, 80.0), (1, 400.0, 200.0, 160.0), (2, 580.0, 340.0, 80.0)]


@pytest.fixture
def smears(tmp_path: Path, draw_cells) -> Path:
    folder = tmp_path / "smears"
    folder.mkdir()
    for name in ("2.png", "10.png"):
        cv2.imwrite(str(folder / name), draw_cells(360, 600, DISCS))
    return folder


def run(bundle: Bundle, *arguments: object) -> None:
    fixed = ["--bundle", bundle.folder, "--engine", "cpu", "--precision", "fp32", "--red-cell-px", 80]
    result = CliRunner().invoke(build_app(), ["run", *map(str, arguments), *map(str, fixed)], catch_exceptions=True)
    if isinstance(result.exception, HemonodeError):
        raise result.exception
    assert result.exit_code == 0, (result.output, result.exception)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_summary_keeps_why_the_engine_computes_as_it_does(colour_bundle, smears, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(CpuEngine, "remarks", ("bf16 was not taken.",))
    run(colour_bundle, smears, "-o", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["remarks"] == ["bf16 was not taken."]


def test_a_folder_gives_counts_cells_masks_and_a_page(colour_bundle: Bundle, smears: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(colour_bundle, smears, "-o", out)
    counts = rows(out / "counts.csv")
    assert [row["image"] for row in counts] == ["2", "10"]
    # The red cell at the left edge is in the counting frame, the one at the right edge is not.
    for row in counts:
        assert (row["white_cell"], row["red_cell"], row["platelet"]) == ("1", "3", "0")
        assert (row["white_cell_in"], row["red_cell_in"], row["platelet_in"]) == ("1", "2", "0")
    cells = rows(out / "cells.csv")
    assert len(cells) == 8
    white = next(cell for cell in cells if cell["class"] == "white_cell")
    assert abs(float(white["x"]) - 400) < 15
    assert abs(float(white["width"]) - 160) < 30
    mask = cv2.imread(str(out / "masks" / "2.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (360, 600)
    assert mask[200, 400] == 1
    assert mask[100, 200] == 2
    overlay = cv2.imread(str(out / "overlays" / "2.jpg"))
    assert overlay.shape[1] == 600
    summary = json.loads((out / "summary.json").read_text())
    assert summary["state"] == "finished"
    assert summary["total_visible"] == {"white_cell": 2, "red_cell": 6, "platelet": 0}
    assert summary["engine"] == "cpu"
    assert summary["bundle_sha256"] == colour_bundle.sha256
    page = (out / "index.html").read_text()
    assert "thumbnails/10.jpg" in page
    assert "not a diagnostic device" in page


def test_bad_pictures_are_listed_and_the_others_done(colour_bundle: Bundle, smears: Path, tmp_path: Path) -> None:
    (smears / "words.png").write_text("only words")
    (smears / "empty.jpg").touch()
    (smears / "cut.png").write_bytes((smears / "2.png").read_bytes()[:3000])
    with pytest.raises(PictureError, match="3 of 5 pictures failed"):
        run(colour_bundle, smears, "-o", tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert sorted(failure["image"] for failure in summary["failures"]) == ["cut", "empty", "words"]
    assert len(rows(tmp_path / "out" / "counts.csv")) == 2


def test_pictures_of_one_stem_keep_apart(colour_bundle: Bundle, smears: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(smears / "2.bmp"), np.full((100, 120, 3), 215, np.uint8))
    run(colour_bundle, smears, "-o", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out" / "masks").iterdir()} == {"2-png.png", "2-bmp.png", "10.png"}


def test_a_glob_and_a_single_picture(colour_bundle: Bundle, smears: Path, tmp_path: Path) -> None:
    run(colour_bundle, smears / "1*.png", "-o", tmp_path / "glob")
    assert [row["image"] for row in rows(tmp_path / "glob" / "counts.csv")] == ["10"]
    run(colour_bundle, smears / "2.png", "-o", tmp_path / "one", "--no-overlays")
    assert not (tmp_path / "one" / "overlays").exists()


def test_every_nth_frame_of_a_video(colour_bundle: Bundle, tmp_path: Path, draw_cells) -> None:
    video = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (600, 360))
    for _ in range(5):
        video.write(draw_cells(360, 600, DISCS))
    video.release()
    run(colour_bundle, tmp_path / "v.avi", "-o", tmp_path / "out", "--every", 2)
    assert [row["image"] for row in rows(tmp_path / "out" / "counts.csv")] == ["v_000000", "v_000002", "v_000004"]


def test_earlier_results_are_replaced_only_when_asked(colour_bundle: Bundle, smears: Path, tmp_path: Path) -> None:
    run(colour_bundle, smears, "-o", tmp_path / "out")
    with pytest.raises(OutputError, match="--overwrite"):
        run(colour_bundle, smears, "-o", tmp_path / "out")
    run(colour_bundle, smears, "-o", tmp_path / "out", "--overwrite")


def test_results_inside_the_source_are_not_taken_for_pictures(colour_bundle: Bundle, smears: Path) -> None:
    run(colour_bundle, smears / "*.png", "-o", smears / "out")
    run(colour_bundle, f"{smears}/**/*.png", "-o", smears / "out", "--overwrite")
    assert len(rows(smears / "out" / "counts.csv")) == 2


@pytest.mark.parametrize("case", ["missing", "empty folder", "out is a file", "broken video"])
def test_what_cannot_start_says_why(colour_bundle: Bundle, smears: Path, tmp_path: Path, case: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "bad.mp4").write_bytes(b"no video" * 100)
    source, out, says = {
        "missing": (tmp_path / "nowhere", tmp_path / "out", "nowhere"),
        "empty folder": (tmp_path / "empty", tmp_path / "out", "no pictures"),
        "out is a file": (smears, tmp_path / "file", "is a file"),
        "broken video": (tmp_path / "bad.mp4", tmp_path / "out", "cannot be read as a video"),
    }[case]
    with pytest.raises(HemonodeError, match=says):
        run(colour_bundle, source, "-o", out)
