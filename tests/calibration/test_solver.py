"""`hemonode calibrate solver`: real files in, solver.json, report and picture out; the same again, also in two goes."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from hemonode.calibration.solver.memory import NAME
from hemonode.calibration.solver.pictures import Group, draw
from hemonode.cli import build_app
from hemonode.errors import DatasetError, HemonodeError, InterruptedByUser, SolverError
from hemonode.export.search import measure
from hemonode.export.settings import integrating
from hemonode.export.solver_file import read_solver_file
from hemonode.train.checkpoint import Checkpoint, save_checkpoint
from hemonode.train.data.dataset import load_dataset
from hemonode.train.models.integrators import Adaptive
from hemonode.train.models.table import build_model, ode_blocks
from hemonode.train.recipe import Recipe

pytestmark = pytest.mark.usefixtures("torch_threads")

TOML = """
name = "smears"
licence = "none"
red_cell_px = 40.0
[images]
path = "images"
[[labels]]
format = "mask"
path = "masks"
missing = "unlabelled"
[groups]
pattern = "^(slide[0-9]+)_"
[[split.carve]]
to = "val"
groups = ["slide4"]
[[split.carve]]
to = "test"
groups = ["slide5"]
"""

MODEL = {"width": 4, "ode_blocks": [{"position": 5, "tolerance": 1e-4}, {"position": 6, "tolerance": 1e-4}]}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Six slides of two pictures each: 0 to 3 to choose on, 4 to confirm on, 5 for tests."""
    folder = tmp_path_factory.mktemp("smears")
    (folder / "dataset.toml").write_text(TOML, encoding="utf-8")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    for index in range(12):
        noise = np.random.default_rng(index).normal(128, 600, (128, 128, 3))
        pixels = np.clip(cv2.GaussianBlur(noise, (0, 0), 4), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"slide{index // 2}_{index % 2}.png"), pixels)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, make_recipe) -> Path:
    """A network whose blocks move, whose masks show every class, and whose heat map has peaks."""
    torch.manual_seed(5)
    recipe = make_recipe("tiny", MODEL)
    model = build_model(recipe.model).eval()
    for block in ode_blocks(model):
        torch.nn.init.normal_(block.dynamics.convs[-1].weight, 0, 0.08)
        torch.nn.init.normal_(block.dynamics.time_weights[0], 0, 0.5)
    pixels = torch.rand(1, 3, 128, 128) * 255
    with torch.no_grad():
        for index, head in enumerate((model.mask_head, model.heat_head[-1])):
            values = model(pixels)[index].transpose(0, 1).flatten(1)
            head.weight /= values.std(1)[:, None, None, None]
            head.bias.copy_((head.bias - values.mean(1)) / values.std(1))
    path = tmp_path_factory.mktemp("run") / "best.ckpt"
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    save_checkpoint(Checkpoint(recipe, weights, {1: 0.6, 2: 0.6, 3: 0.6}, 1, 0.5, ("none",), ("smears",)), path)
    return path


@pytest.fixture(scope="module")
def calibrate(data, checkpoint):
    """Runs the command; errors come out as they are. The last option of a name counts."""

    def run(out: Path, *options: str, code: int = 0) -> str:
        arguments = ["calibrate", "solver", str(checkpoint), "--data", str(data / "dataset.toml"), "-o", str(out)]
        usual = ["--images", "3", "--held-out-images", "2", "--budget", "12"]
        if "--tolerance" not in options:
            usual += ["--tolerance", "5e-2", "--tolerance", "1e-3"]
        if "--method" not in options:
            usual += ["--method", "heun", "--method", "bs3", "--method", "rk4", "--method", "cash-karp"]
        answer = CliRunner().invoke(build_app(), [*arguments, *usual, *options])
        if isinstance(answer.exception, HemonodeError):
            raise answer.exception
        assert answer.exit_code == code, answer.output
        return answer.output

    return run


@pytest.fixture(scope="module")
def result(calibrate, tmp_path_factory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("calibrations") / "first"
    return out, calibrate(out)


def test_the_chosen_solvers_keep_their_tolerance_in_the_network(result, data, checkpoint) -> None:
    model = torch.load(checkpoint, weights_only=True)
    network = build_model(Recipe.model_validate(model["recipe"]).model).eval()
    network.load_state_dict(model["weights"])
    file = read_solver_file(result[0] / "solver.json")
    assert [rung.name for rung in file.rungs] == ["tol5e-2", "tol1e-3"]
    pixels = torch.from_numpy(cv2.imread(str(data / "images" / "slide0_0.png"))).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        with integrating(network, {position: Adaptive(1e-6) for position in (5, 6)}):
            truth = network(pixels).logits
        distances = []
        for setting in file.settings(network):
            with integrating(network, setting.solvers):
                distances.append(float((network(pixels).logits - truth).norm() / truth.norm()))
    loose, tight = distances
    assert tight < 1e-3
    assert tight < loose < 0.1


def test_the_record_says_how_it_was_measured(result) -> None:
    file = read_solver_file(result[0] / "solver.json")
    record = file.calibration
    assert (record.data, record.split, record.images, record.seed) == (("smears",), "train", 3, 0)
    assert (record.held_out.split, record.held_out.images) == ("val", 2)
    assert any("3 pictures only" in warning for warning in record.warnings)
    assert all(block.worst_image.startswith("smears/slide") for rung in file.rungs for block in rung.blocks)
    assert all(rung.held_out is not None for rung in file.rungs)


def test_report_and_picture_show_every_block_and_rung(result) -> None:
    out, said = result
    report = (out / "report.md").read_text(encoding="utf-8")
    for word in ("tol5e-2", "tol1e-3", "| 5 |", "| 6 |", "pareto.png", "3 pictures of smears", "Warning"):
        assert word in report
    picture = cv2.imread(str(out / "pareto.png"))
    assert picture.std() > 5
    assert "Warning: chosen on 3 pictures only" in " ".join(said.split())


def test_the_same_seed_chooses_the_same_and_another_draws_others(result, calibrate, tmp_path, data) -> None:
    calibrate(tmp_path / "again")
    assert (tmp_path / "again" / "solver.json").read_bytes() == (result[0] / "solver.json").read_bytes()
    dataset = load_dataset(data / "dataset.toml")
    draws = {tuple(entry.name for _, entry in draw([dataset], "train", 3, seed).picked) for seed in range(5)}
    assert len(draws) > 1


def test_an_interrupted_calibration_goes_on(result, calibrate, tmp_path, monkeypatch) -> None:
    out = tmp_path / "interrupted"
    measured = measure.block_error
    done = []

    def interrupted(*states):
        if len(done) == 20:
            raise KeyboardInterrupt
        done.append(states)
        return measured(*states)

    with monkeypatch.context() as patch:
        patch.setattr(measure, "block_error", interrupted)
        with pytest.raises(InterruptedByUser, match="goes on"):
            calibrate(out)
    assert (out / NAME).is_file()
    assert not (out / "solver.json").exists()
    assert "going on with" in calibrate(out)
    assert (out / "solver.json").read_bytes() == (result[0] / "solver.json").read_bytes()


def test_a_finished_calibration_is_not_measured_again(result, calibrate, monkeypatch) -> None:
    before = (result[0] / "solver.json").read_bytes()
    monkeypatch.setattr(measure, "block_error", None)
    assert "going on with" in calibrate(result[0])
    assert (result[0] / "solver.json").read_bytes() == before


def test_measurements_of_other_pictures_or_a_damaged_file_are_not_used(result, calibrate, tmp_path) -> None:
    (tmp_path / NAME).write_bytes((result[0] / NAME).read_bytes())
    assert "going on with" not in calibrate(tmp_path, "--seed", "3", "--tolerance", "0.3")
    (tmp_path / NAME).write_bytes(b"{")
    assert "going on with" not in calibrate(tmp_path, "--seed", "3", "--tolerance", "0.3")


def test_costs_are_measured_on_an_engine_where_asked(calibrate, tmp_path) -> None:
    calibrate(tmp_path, "--engine", "cpu", "--threads", "1", "--tolerance", "5e-2")
    file = read_solver_file(tmp_path / "solver.json")
    assert "ms on cpu in fp32, 128×128 px" in file.calibration.cost_unit
    assert all(0 < block.cost < math.inf for rung in file.rungs for block in rung.blocks)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (["--split", "test"], DatasetError, "would spoil"),
        (["--split", "tune"], DatasetError, "no split 'tune'"),
        (["--held-out-split", "train", "--images", "8"], DatasetError, "in a group that the choice was made on"),
        (["--tolerance", "0"], SolverError, "above 0"),
        (["--tolerance", "1e-5", "--fp16"], SolverError, "tighter than FP16 can hold"),
        (["--tolerance", "1e-4", "--budget", "2"], SolverError, "too stiff"),
        (["--tolerance", "0.2", "--changed-pixels", "0", "--budget", "3"], SolverError, "no combination"),
    ],
)
def test_what_cannot_be_done_is_said(calibrate, tmp_path, options, error, says) -> None:
    with pytest.raises(error, match=says):
        calibrate(tmp_path, *options)
    assert not (tmp_path / "solver.json").exists()


def test_held_out_pictures_never_share_a_group_with_the_chosen(data) -> None:
    dataset = load_dataset(data / "dataset.toml")
    chosen = draw([dataset], "train", 3, 0)
    others = draw([dataset], "train", 8, 0, without=chosen.groups)
    assert not chosen.groups & others.groups
    assert all(Group(dataset.name, entry.group) in others.groups for dataset, entry in others.picked)


def test_data_sets_share_the_pictures_evenly(data) -> None:
    small, large = load_dataset(data / "dataset.toml"), load_dataset(data / "dataset.toml")
    picked = draw([small, large], "train", 11, 0).picked
    assert [sum(dataset is part for dataset, _ in picked) for part in (small, large)] == [6, 5]
    assert len(draw([small], "val", 50, 0).picked) == 2


def test_roots_go_with_their_data(calibrate, tmp_path) -> None:
    assert "--root" in calibrate(tmp_path, "--root", "a", "--root", "b", code=2)
