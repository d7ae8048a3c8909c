"""Fine-tuning through the solvers of a setting: they integrate, and what cannot fit is refused before training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hemonode.calibration.fine_tune import FineTuning, fine_tune
from hemonode.errors import ExportError
from hemonode.export.solver_file import BlockChoice, Rung, SolverFile, write_solver_file
from hemonode.runtime.bundle.files import hash_file
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.models.ode_block import Dynamics
from hemonode.train.run import run_training


@pytest.fixture(scope="module")
def start(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("start")
    run_training(str(drawn_data / "tiny.toml"), drawn_data, run, 1)
    return run / "best.ckpt"


def _rung(name: str, method: str) -> Rung:
    return Rung(name=name, blocks=(BlockChoice(position=5, method=method, grid=(0.0, 0.25, 1.0)),))


def _asked(start: Path, data: Path, folder: Path, *rungs: Rung, sha256: str | None = None) -> FineTuning:
    file = SolverFile(model="nodes-unet", checkpoint_sha256=sha256, rungs=rungs)
    write_solver_file(folder / "solver.json", file)
    return FineTuning(
        checkpoint=start,
        solver_file=folder / "solver.json",
        setting="fast",
        recipe=str(data / "tiny.toml"),
        data_root=data,
        out=folder / "tuned",
        steps=3,
        learning_rate=1e-2,
        changes=(),
    )


def test_the_settings_own_grid_integrates_and_the_weights_move(
    start: Path, drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    asked = _asked(start, drawn_data, tmp_path, _rung("fast", "euler"), _rung("fine", "rk4"), sha256=hash_file(start))
    original = Dynamics.forward

    def watched(dynamics: Dynamics, t: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            times.append(float(t))
        return original(dynamics, t, h)

    monkeypatch.setattr(Dynamics, "forward", watched)
    fine_tune(asked)
    assert times == [0.0, 0.25] * 3
    tuned, before = load_checkpoint(tmp_path / "tuned" / "best.ckpt"), load_checkpoint(start)
    assert tuned.recipe.training.through == "fast: 5 eulerx2"
    name = next(name for name in before.weights if "dynamics.convs.1.weight" in name)
    assert not torch.equal(tuned.weights[name], before.weights[name])


@pytest.mark.parametrize("setting", [None, "slow"])
def test_a_setting_that_is_not_clear_is_asked_for(
    start: Path, drawn_data: Path, tmp_path: Path, setting: str | None
) -> None:
    asked = _asked(start, drawn_data, tmp_path, _rung("fast", "euler"), _rung("fine", "rk4"))
    with pytest.raises(ExportError, match="fast, fine"):
        fine_tune(FineTuning(**{**vars(asked), "setting": setting}))
    assert not asked.out.exists()


def test_a_calibration_of_another_checkpoint_is_refused(start: Path, drawn_data: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="another checkpoint"):
        fine_tune(_asked(start, drawn_data, tmp_path, _rung("fast", "euler"), sha256="0" * 64))
