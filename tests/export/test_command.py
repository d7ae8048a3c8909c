"""`hemonode export` from a checkpoint file to a bundle, as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hemonode.cli import build_app
from hemonode.errors import CheckpointError, DatasetError, ExportError, HemonodeError, OutputError, SolverError
from hemonode.export.recorded import recorded_solvers
from hemonode.export.solver_file import BlockChoice, Rung, SolverFile, write_solver_file
from hemonode.export.tableau_file import read_tableau
from hemonode.runtime.bundle.files import hash_file
from hemonode.runtime.bundle.reader import open_bundle

OWN_TABLEAU = """
name = "thirds"
order = 3
c = [0, "1/3", "2/3"]
a = [[], ["1/3"], [0, "2/3"]]
b = ["1/4", 0, "3/4"]
b_low = ["1/4", 0, "1/2", "1/4"]
low_order = 1
"""


@pytest.fixture
def folder(tmp_path, fill_folder):
    return fill_folder(tmp_path)


def _export(folder, *options, checkpoint="best.ckpt"):
    data = ["--data", folder / "noise.toml", "--root", folder / "pictures", "--images", "2"]
    loose = ["--least-agreement", "0.5", "--count-difference", "1000"]
    arguments = ["export", folder / checkpoint, "-o", folder / "small.hemo", *data, *loose, *options]
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    if isinstance(result.exception, HemonodeError):
        raise result.exception
    return result


def test_a_checkpoint_becomes_a_bundle_with_a_ladder_from_cheap_to_exact(folder):
    result = _export(
        folder, "--solver", "rk4:1", "--solver", "euler", "--solver", "heun", "--steps", "2", "--steps", "1"
    )
    assert result.exit_code == 0, result.output
    assert "rk4x1 fp32: on 2 pictures" in result.output
    assert "rk4x1: block 4 rk4 in 1 (error " in result.output
    bundle = open_bundle(folder / "small.hemo")
    assert bundle.manifest.name == "small"
    assert bundle.setting().name == "rk4x1", "the first that was asked for"
    assert [setting.name for setting in bundle.manifest.settings] == ["eulerx2", "heunx1", "rk4x1"]
    assert all(setting.tolerance is None and setting.estimates == () for setting in bundle.manifest.settings)


def test_a_tableau_of_the_users_own_reaches_the_bundle_whole(folder):
    (folder / "own.toml").write_text(OWN_TABLEAU)
    result = _export(folder, "--solver", folder / "own.toml", "--steps", "2", "--estimate-error")
    assert result.exit_code == 0, result.output
    assert "14 evaluations, 2 of them for error estimates" in result.output
    setting = open_bundle(folder / "small.hemo").setting()
    assert setting.name == "thirdsx2"
    assert setting.blocks[0].tableau.b == ("1/4", "0", "3/4"), "no coefficient is rounded"
    solver = recorded_solvers(setting)[4]
    assert (solver.tableau, solver.grid) == (read_tableau(folder / "own.toml"), (0, 0.5, 1))
    assert solver.estimate
    for estimate, block in zip(setting.estimates, setting.blocks, strict=True):
        assert (estimate.position, estimate.images, estimate.p95) == (block.position, 2, None)
        assert 0 < estimate.median <= estimate.largest
        assert 0 < estimate.smallest_ratio <= estimate.ratio_to_true_error
        assert (block.estimates, block.evaluations, block.price_of_estimate) == (True, 7, 1)


def _solver_file(folder, **rung) -> Path:
    blocks = tuple(BlockChoice(position=position, method="rk4", grid=(0, 0.4, 1)) for position in (4, 6))
    fields = {"name": "mine", "tolerance": 0.5, "blocks": blocks, **rung}
    path = folder / "solver.json"
    sha256 = hash_file(folder / "best.ckpt")
    write_solver_file(path, SolverFile(checkpoint_sha256=sha256, model="nodes-unet", rungs=(Rung(**fields),)))
    return path


def test_a_solver_file_becomes_a_bundle(folder):
    result = _export(folder, "--solver-file", _solver_file(folder), "--default", "0.5")
    assert result.exit_code == 0, result.output
    (setting,) = open_bundle(folder / "small.hemo").manifest.settings
    assert (setting.name, setting.tolerance) == ("mine", 0.5)
    assert [(block.method, block.grid) for block in setting.blocks] == [("rk4", (0, 0.4, 1))] * 2


def test_a_setting_that_breaks_its_tolerance_is_not_written_and_the_error_says_where_and_by_how_much(folder):
    with pytest.raises(ExportError, match=r"mine .*on (a tile of )?\d ODE block 4 errs by [\d.e-]+, above 1e-07"):
        _export(folder, "--solver-file", _solver_file(folder, tolerance=1e-7))
    assert not (folder / "small.hemo").exists()


def test_a_solver_file_for_another_checkpoint_is_refused(folder):
    path = _solver_file(folder)
    path.write_text(path.read_text().replace(hash_file(folder / "best.ckpt"), "0" * 64))
    with pytest.raises(ExportError, match="calibrated on another checkpoint"):
        _export(folder, "--solver-file", path)


def test_a_tolerance_finds_solvers_that_keep_it(folder):
    result = _export(folder, "--tolerance", "1e-2", "--tolerance", "1e-1", "--search-images", "1", "--images", "2")
    assert result.exit_code == 0, result.output
    loose, tight = open_bundle(folder / "small.hemo").manifest.settings
    assert (loose.tolerance, tight.tolerance) == (0.1, 0.01)
    assert sum(block.evaluations for block in loose.blocks) <= sum(block.evaluations for block in tight.blocks)
    assert all(block.error <= 0.01 and block.tile_error <= 0.01 for block in tight.blocks)
    assert open_bundle(folder / "small.hemo").setting() == tight, "the first that was asked for"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ([], ExportError, "nothing says how to solve the ODE blocks"),
        (["--solver", "rk9:1"], ExportError, "'rk9'"),
        (["--solver", "rk4"], ExportError, "0 numbers of --steps do not fit 1 solvers"),
        (["--solver", "rk4:1", "--steps", "2"], ExportError, "1 numbers of --steps do not fit 0 solvers"),
        (["--solver", "rk4:1", "--solver", "rk4:1"], ExportError, "rk4x1 is asked for twice"),
        (["--solver", "rk4:1", "--tolerance", "1e-3"], ExportError, "--solver and --tolerance are different ways"),
        (["--solver-file", "no.json", "--tolerance", "1e-3"], ExportError, "keep one of them"),
        (["--solver-file", "no.json"], ExportError, "no readable solver file no.json"),
        (["--tolerance", "0"], SolverError, "tolerance of 0 cannot be kept"),
        (["--tolerance", "nan"], SolverError, "cannot be kept"),
        (["--tolerance", "1e-9"], SolverError, "tighter than FP32 can hold"),
        (
            ["--solver", "rk4:1", "--default", "heun:1"],
            ExportError,
            "none of the settings asked for: choose one of rk4x1",
        ),
        (["--solver", "rk4:1", "--accuracy", "nowhere.md"], ExportError, "cannot be read"),
        (["--solver", "rk4:1", "-o", "nowhere/small.hemo"], OutputError, "no folder"),
        (["--solver", "rk4:1", "--data", "nowhere"], DatasetError, "no data set 'nowhere'"),
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
