"""Training on a small data set: it learns, resumes to the same curve, and keeps what it finished."""

from __future__ import annotations

import hashlib
import json
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hemonode.errors import CheckpointError, RecipeError
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.models.integrators import FixedStep
from hemonode.train.recipe import find_recipe, load_recipe
from hemonode.train.run import Through, run_training


@pytest.fixture(scope="module")
def work(drawn_data: Path) -> Path:
    return drawn_data


def _losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole_run(work: Path) -> Path:
    run_training(str(work / "tiny.toml"), work, work / "whole")
    return work / "whole"


def test_the_loss_falls_and_everything_promised_is_written(whole_run: Path) -> None:
    losses = _losses(whole_run)
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert cv2.imread(str(whole_run / "curves.png")) is not None
    record = json.loads((whole_run / "metrics.jsonl").read_text().splitlines()[0])
    assert record["evaluations"]["5"] >= 6
    checkpoint = load_checkpoint(whole_run / "best.ckpt")
    assert set(checkpoint.peak_thresholds) == {1, 2, 3}
    assert checkpoint.licences == ("drawn: Apache-2.0",)


def test_a_run_stopped_by_ctrl_c_resumes_to_the_same_curve(work: Path, whole_run: Path) -> None:
    run = work / "interrupted"
    code = "import sys; sys.argv[0] = 'hemonode'; from hemonode.cli import main; main()"
    asked = ["train", "--recipe", str(work / "tiny.toml"), "--data-root", str(work), "-o", str(run)]
    training = subprocess.Popen(
        [sys.executable, "-c", code, *asked],
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 200
    while not (run / "metrics.jsonl").exists():
        assert training.poll() is None, training.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    training.send_signal(signal.SIGINT)
    _, said = training.communicate(timeout=100)
    assert training.returncode == 1, said
    assert len(_losses(run)) < 3
    load_checkpoint(run / "best.ckpt")
    run_training(str(work / "tiny.toml"), work, run)
    assert _losses(run) == pytest.approx(_losses(whole_run), rel=1e-4)


def test_a_folder_with_another_recipes_run_is_not_touched(work: Path, whole_run: Path) -> None:
    other = work / "other.toml"
    other.write_text((work / "tiny.toml").read_text().replace("3e-3", "1e-3"))
    before = (whole_run / "best.ckpt").read_bytes()
    with pytest.raises(RecipeError, match="another recipe"):
        run_training(str(other), work, whole_run)
    assert (whole_run / "best.ckpt").read_bytes() == before


@pytest.mark.parametrize("what", ["pickle", "foreign", "words", "cut"])
def test_a_checkpoint_that_is_not_ours_is_refused_and_never_executed(
    tmp_path: Path, whole_run: Path, what: str
) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path(tmp_path / "sprung").touch, ())

    path = tmp_path / "x.ckpt"
    if what == "pickle":
        path.write_bytes(pickle.dumps(Trap()))
    elif what == "foreign":
        torch.save({"weights": torch.zeros(3), "trap": Trap()}, path)
    elif what == "words":
        path.write_text("only words\n")
    else:
        data = (whole_run / "best.ckpt").read_bytes()
        path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match=r"x\.ckpt is not a hemonode checkpoint"):
        load_checkpoint(path)
    assert not (tmp_path / "sprung").exists()


def test_every_shipped_recipe_is_usable() -> None:
    recipe = load_recipe(find_recipe("first_light"))
    assert recipe.training.crop_px % 16 == 0
    assert np.isclose(recipe.scale.red_cell_px, 40)


def test_a_wrong_recipe_names_the_field(work: Path, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text((work / "tiny.toml").read_text().replace("batch_size = 2", 'batch_size = "two"'))
    with pytest.raises(RecipeError, match=r"training\.batch_size"):
        load_recipe(tmp_path / "r.toml")


def test_fine_tuning_starts_from_the_checkpoints_weights_and_says_so(
    work: Path, whole_run: Path, tmp_path: Path
) -> None:
    start = whole_run / "best.ckpt"
    changes = ["training.learning_rate=1e-9", "training.dynamics.kinetic=0.1"]
    run_training(str(work / "tiny.toml"), work, tmp_path / "tuned", 1, changes, start)
    tuned, before = load_checkpoint(tmp_path / "tuned" / "best.ckpt"), load_checkpoint(start)
    learnt = [name for name in before.weights if "running" not in name and "tracked" not in name]
    assert all(torch.allclose(tuned.weights[name], before.weights[name], atol=1e-5) for name in learnt)
    assert tuned.recipe.training.dynamics.kinetic == 0.1
    assert tuned.recipe.training.start_sha256 == hashlib.sha256(start.read_bytes()).hexdigest()
    assert "kinetic" in json.loads((tmp_path / "tuned" / "metrics.jsonl").read_text())


def test_a_checkpoint_of_another_network_is_no_start(work: Path, whole_run: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="do not fit"):
        run_training(str(work / "tiny.toml"), work, tmp_path / "run", 1, ["model.width=6"], whole_run / "best.ckpt")


def test_training_goes_through_given_integrators_instead_of_the_recipes(
    work: Path, whole_run: Path, tmp_path: Path
) -> None:
    calls = []

    class Counted(FixedStep):
        def __call__(self, dynamics: torch.nn.Module, h0: torch.Tensor) -> torch.Tensor:
            calls.append(h0.shape[0])
            return super().__call__(dynamics, h0)

    through = Through("two euler steps", {5: Counted("euler", 2)})
    run_training(str(work / "tiny.toml"), work, tmp_path / "run", 1, start=whole_run / "best.ckpt", through=through)
    assert calls == [2] * 4
    assert load_checkpoint(tmp_path / "run" / "best.ckpt").recipe.training.through == "two euler steps"


@pytest.mark.parametrize("change", ["training.epochs", "training.epochs = = 3", "training.solvers=rk4"])
def test_a_change_that_is_no_toml_is_refused_with_an_example(change: str) -> None:
    with pytest.raises(RecipeError, match="KEY=VALUE"):
        load_recipe(find_recipe("first_light"), [change])


def test_a_change_of_one_field_leaves_the_others() -> None:
    changed = load_recipe(find_recipe("first_light"), ["training.dynamics.jacobian=0.5", 'name="mine"'])
    plain = load_recipe(find_recipe("first_light"))
    assert (changed.name, changed.training.dynamics.jacobian) == ("mine", 0.5)
    assert changed.training.batch_size == plain.training.batch_size
    assert changed.data == plain.data
