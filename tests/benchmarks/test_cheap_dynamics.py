"""How few evaluations a tolerance needs: the cheapest solver is found, and a row says so for each checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from hemonode.benchmarks import cheap_dynamics
from hemonode.errors import SolverError
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.run import run_training


class Grows(nn.Module):
    """dh/dt = rate · h, counted as the network's own dynamics are."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.evaluations = 0

    def forward(self, _t: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        self.evaluations += 1
        return self.rate * h


def growing(rate: float) -> tuple[ODEBlock, list[cheap_dynamics.Start]]:
    block = ODEBlock(1, 5, 1e-3, 1, "silu")
    block.dynamics = Grows(rate)
    h0 = torch.ones(1, 1, 4, 4)
    return block, [cheap_dynamics.Start(h0, h0.double() * torch.tensor(rate, dtype=torch.float64).exp(), 16)]


def test_the_cheapest_solver_that_keeps_the_tolerance_is_found() -> None:
    # One step of any two-stage second-order method errs by (e − 2.5)/(e − 1) = 0.127 of the movement, Euler by 0.42.
    block, starts = growing(1.0)
    with torch.no_grad():
        need = cheap_dynamics._need(block, starts, 0.2)
    assert need.evaluations == 2
    assert need.error == pytest.approx(0.127, abs=1e-3)
    assert need.adaptive >= 8


def test_dynamics_that_nothing_within_the_budget_solves_are_said_so() -> None:
    block, starts = growing(-300.0)
    with pytest.raises(SolverError, match="no method reaches 1e-06 at block 5 within 40 evaluations"), torch.no_grad():
        cheap_dynamics._need(block, starts, 1e-6)


def test_each_checkpoint_gets_its_row(
    drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = drawn_data / "tiny.toml"
    run_training(str(recipe), drawn_data, tmp_path, 1)
    capsys.readouterr()
    options = ["--recipe", str(recipe), "--data-root", str(drawn_data), "--pictures", "2"]
    monkeypatch.setattr(sys, "argv", ["cheap_dynamics", str(tmp_path / "best.ckpt"), *options])
    cheap_dynamics.main()
    head, _, row = capsys.readouterr().out.splitlines()
    assert "NFE that 0.001 needs" in head
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == f"{tmp_path.name}/best.ckpt"
    assert 1 <= int(cells[1]) <= 40
    assert cells[2].startswith("5: ")
