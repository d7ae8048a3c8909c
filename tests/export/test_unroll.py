"""Unrolled solvers integrate: at their order, on any grid, in the state's own precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from scipy.integrate import solve_ivp
from torchdiffeq import odeint

from hemonode.errors import ExportError
from hemonode.export.settings import parse_settings
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid

START = torch.tensor([1.0, -0.5], dtype=torch.float64)


class Pendulum(nn.Module):
    """The driven pendulum h'' = cos(t)/2 − sin(h): nonlinear, with a slope that depends on time."""

    def forward(self, t, h):
        return torch.stack([h[1], 0.5 * torch.cos(t) - torch.sin(h[0])])


@pytest.fixture(scope="module")
def exact():
    """By another library, another method and another precision of the coefficients: scipy's DOP853."""

    def field(t, h):
        return [h[1], 0.5 * np.cos(t) - np.sin(h[0])]

    solved = solve_ivp(field, (0, 1), START.numpy(), method="DOP853", rtol=3e-14, atol=1e-15)
    return torch.from_numpy(solved.y[:, -1])


@pytest.mark.parametrize("tableau", TABLEAUS.values(), ids=TABLEAUS)
def test_the_error_falls_at_the_solvers_order_on_a_driven_pendulum(tableau, exact):
    steps = [2000, 3000, 4000] if tableau.order == 1 else [round(2 ** (k / 2)) for k in range(2, 17)]
    errors = {n: float((Unrolled(tableau, uniform_grid(n))(Pendulum(), START) - exact).norm()) for n in steps}
    within = {n: error for n, error in errors.items() if 1e-11 < error < 1e-4}
    slope = -np.polyfit(np.log(list(within)), np.log(list(within.values())), 1)[0]
    assert len(within) >= 3
    assert slope >= tableau.order - 0.2


@pytest.mark.parametrize("method", ["euler", "midpoint"])
def test_fixed_steps_equal_torchdiffeq(method):
    grid = (0.0, 0.1, 0.55, 1.0)
    expected = odeint(Pendulum(), START, torch.tensor(grid, dtype=torch.float64), method=method)[-1]
    assert torch.allclose(Unrolled(TABLEAUS[method], grid)(Pendulum(), START), expected, atol=1e-14)


def test_evaluations_are_those_that_happen(make_model):
    block = next(m for m in make_model().modules() if hasattr(m, "dynamics"))
    solver = Unrolled(TABLEAUS["rk4"], uniform_grid(3))
    block.dynamics.evaluations = 0
    with torch.no_grad():
        solver(block.dynamics, torch.zeros(1, block.dynamics.convs[0].in_channels, 4, 4))
    assert block.dynamics.evaluations == solver.evaluations == 12


def test_a_bfloat16_state_is_summed_in_float32():
    class One(nn.Module):
        def forward(self, _t, h):
            return torch.ones_like(h, dtype=torch.bfloat16)

    # In bfloat16, 1 + 1/512 is 1 again: the sum would never move.
    end = Unrolled(TABLEAUS["euler"], uniform_grid(512))(One(), torch.ones(1, dtype=torch.bfloat16))
    assert end.dtype == torch.bfloat16
    assert float(end) == 2.0


@pytest.mark.parametrize(
    "grid", [(0.0,), (0.0, 0.5), (0.1, 1.0), (0.0, 0.6, 0.4, 1.0), (0.0, 0.5, 0.5, 1.0), (0.0, math.nan, 1.0)]
)
def test_a_grid_that_does_not_rise_from_0_to_1_is_refused(grid):
    with pytest.raises(ExportError, match="must rise from 0 to 1"):
        Unrolled(TABLEAUS["euler"], grid)


@pytest.mark.parametrize(
    ("solvers", "sentence"),
    [
        (["rk5:1"], "'rk5:1' is unknown"),
        (["rk4"], "'rk4' is unknown"),
        (["rk4:one"], "'rk4:one' is unknown"),
        (["rk4:0"], "at least one step"),
        (["rk4:1", "rk4:01"], "asked for twice"),
        ([], "no solver was named"),
    ],
)
def test_a_solver_that_cannot_be_had_is_refused(model, solvers, sentence):
    with pytest.raises(ExportError, match=sentence):
        parse_settings(solvers, model)


def test_settings_are_ordered_from_cheap_to_exact(model):
    names = [setting.name for setting in parse_settings(["rk4:2", "euler:1", "midpoint:2"], model)]
    assert names == ["eulerx1", "midpointx2", "rk4x2"]


def test_a_network_without_ode_blocks_has_one_plain_setting(make_model):
    plain = make_model(ode_blocks=())
    assert [setting.name for setting in parse_settings([], plain)] == ["plain"]
    with pytest.raises(ExportError, match="nothing to solve"):
        parse_settings(["rk4:1"], plain)
