"""The stage benchmark: every stage has figures, and the table says what they were measured on."""

from __future__ import annotations

import json

import cv2
import pytest

from hemonode.benchmarks.frame_stages import main
from hemonode.benchmarks.stage_clock import StageFigures
from hemonode.benchmarks.stage_report import EngineReport


@pytest.fixture
def smears(tmp_path, draw_cells):
    discs = [(2, 100 + 90 * column, 80 + 100 * row, 80) for column in range(5) for row in range(4)]
    cv2.imwrite(str(tmp_path / "field.png"), draw_cells(480, 640, discs))
    return tmp_path


def test_every_stage_and_the_rate_are_told_with_the_machine(colour_bundle, smears, tmp_path, capsys):
    figures_file = tmp_path / "figures.json"
    asked = ["--bundle", str(colour_bundle.folder), "--engine", "cpu", "--images", str(smears), "--frames", "4"]
    assert main([*asked, "--json", str(figures_file)]) == 0
    told = capsys.readouterr().out
    figures = json.loads(figures_file.read_text())
    assert list(figures["engines"][0]["stages"]) == ["decode", "preprocess", "engine", "count", "overlay", "encode"]
    assert figures["engines"][0]["rate_hz"] > 0
    assert figures["machine"]["libraries"]["onnxruntime"] in told
    assert "| engine |" in told


def test_a_folder_without_pictures_is_one_sentence_and_exit_1(colour_bundle, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no picture")
    assert main(["--bundle", str(colour_bundle.folder), "--images", str(tmp_path)]) == 1
    assert "no picture in" in capsys.readouterr().err
    assert main(["--bundle", str(colour_bundle.folder), "--images", str(tmp_path / "none")]) == 1
    assert "no picture in" in capsys.readouterr().err


def test_the_allowed_rate_counts_what_a_worker_does_and_not_the_page():
    spent = {"decode": 2.0, "preprocess": 2.0, "engine": 20.0, "count": 3.0, "overlay": 2.0, "encode": 90.0}
    stages = {stage: StageFigures(ms, ms, ms, ms) for stage, ms in spent.items()}
    report = EngineReport("cpu", "1", "fp32", "rk4-1", stages, cores=2, rate_hz=72.0)
    assert report.allowed_hz == pytest.approx(2000 / 25)
    assert report.as_json()["outside_engine_cpu_ms"] == pytest.approx(9.0)
    assert report.as_json()["rate_of_allowed"] == pytest.approx(0.9)
