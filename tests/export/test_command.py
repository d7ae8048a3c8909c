"""`hemonode export` from a checkpoint file to a bundle, as a user types it."""

from __future__ import annotations

import cv2
import pytest
from typer.testing import CliRunner

from hemonode.cli import build_app
from hemonode.errors import CheckpointError, ExportError, HemonodeError, OutputError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.train.checkpoint import save_checkpoint

DATASET = """
name = "noise"
licence = "CC0"
source = "made here"
red_cell_px = 40.0
[images]
pattern = "*.png"
[[labels]]
format = "yolo"
path = "boxes"
classes = { 0 = 2 }
missing = "unlabelled"
"""


@pytest.fixture
def folder(tmp_path, checkpoint, make_frame):
    """A checkpoint and a small data set."""
    save_checkpoint(checkpoint, tmp_path / "best.ckpt")
    (tmp_path / "noise.toml").write_text(DATASET)
    for name in ("images", "boxes"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
    for seed in range(3):
        cv2.imwrite(str(tmp_path / "pictures" / "images" / f"{seed}.png"), make_frame(150, 310, seed=seed).pixels)
    return tmp_path


def _export(folder, *options, checkpoint="best.ckpt"):
    data = ["--data", folder / "noise.toml", "--root", folder / "pictures", "--images", "2"]
    loose = ["--least-agreement", "0.5", "--count-difference", "1000"]
    arguments = ["export", folder / checkpoint, "-o", folder / "small.hemo", *data, *loose, *options]
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    if isinstance(result.exception, HemonodeError):
        raise result.exception
    return result


def test_a_checkpoint_becomes_a_bundle(folder):
    result = _export(folder, "--solver", "rk4:1", "--solver", "euler:2")
    assert result.exit_code == 0, result.output
    assert "rk4x1 fp32: on 2 pictures" in result.output
    bundle = open_bundle(folder / "small.hemo")
    assert bundle.manifest.name == "small"
    assert bundle.setting().name == "rk4x1"
    assert [setting.name for setting in bundle.manifest.settings] == ["eulerx2", "rk4x1"]


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        (["--solver", "rk9:1"], ExportError, "'rk9:1' is unknown"),
        (["--solver", "rk4:1", "--default", "heun:1"], ExportError, "none of the solvers asked for"),
        (["--solver", "rk4:1", "--accuracy", "nowhere.md"], ExportError, "cannot be read"),
        (["--solver", "rk4:1", "-o", "nowhere/small.hemo"], OutputError, "no folder"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(folder, options, error, sentence):
    with pytest.raises(error, match=sentence):
        _export(folder, *options)


def test_a_file_that_is_no_checkpoint_is_refused(folder):
    with pytest.raises(CheckpointError, match="not a hemonode checkpoint"):
        _export(folder, "--solver", "rk4:1", checkpoint="noise.toml")


def test_help_shows_an_example(folder):
    result = CliRunner().invoke(build_app(), ["export", "--help"])
    assert "Example: hemonode export" in result.output
