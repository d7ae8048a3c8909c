"""Unrolled solvers integrate: at their order, on any grid, in the state's own precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import RK23, solve_ivp
from torch import nn
from torchdiffeq import odeint
from torchdiffeq._impl.dopri5 import _DORMAND_PRINCE_SHAMPINE_TABLEAU as SHAMPINE
from torchdiffeq._impl.misc import _compute_error_ratio
from torchdiffeq._impl.rk_common import _runge_kutta_step

from hemonode.errors import ExportError, SolverError
from hemonode.export.accepted_grid import accepted_grid
from hemonode.export.settings import ladder, parse_settings
from hemonode.export.tableau import TABLEAUS, Tableau
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.train.models.integrators import Adaptive
from hemonode.train.models.ode_block import Dynamics, ODEBlock

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


class Predators(nn.Module):
    """Lotka-Volterra, with a birth rate that swings."""

    def forward(self, t, h):
        return torch.stack([h[0] * (1.1 + 0.4 * torch.sin(5 * t) - h[1]), h[1] * (h[0] - 0.7)])


def _predators(t, h):
    return [h[0] * (1.1 + 0.4 * np.sin(5 * t) - h[1]), h[1] * (h[0] - 0.7)]


@pytest.mark.parametrize(("name", "method"), [("bs3", "RK23"), ("dopri5", "RK45")])
def test_on_the_steps_that_scipy_took_its_end_is_reached(name, method):
    start = torch.tensor([1.3, 0.8], dtype=torch.float64)
    taken = solve_ivp(_predators, (0, 1), start.numpy(), method=method, rtol=1e-5, atol=1e-5, first_step=0.05)
    assert len(taken.t) > 3
    end = Unrolled(TABLEAUS[name], taken.t)(Predators(), start)
    assert end.tolist() == pytest.approx(taken.y[:, -1].tolist(), abs=1e-13)


@pytest.mark.parametrize("tableau", [t for t in TABLEAUS.values() if t.order >= 3], ids=lambda tableau: tableau.name)
def test_fine_steps_agree_with_scipy_at_its_tightest(tableau):
    start = torch.tensor([1.3, 0.8], dtype=torch.float64)
    exact = solve_ivp(_predators, (0, 1), start.numpy(), method="DOP853", rtol=3e-14, atol=1e-15).y[:, -1]
    end = Unrolled(tableau, uniform_grid(64))(Predators(), start)
    assert end.tolist() == pytest.approx(exact.tolist(), abs=1e-6 if tableau.order == 3 else 1e-8)


@pytest.fixture
def dynamics() -> Dynamics:
    """Of an ODE block that the adaptive solver takes several steps for."""
    torch.manual_seed(5)
    dynamics = ODEBlock(6, 5, 1e-3, 2, "silu").dynamics
    with torch.no_grad():
        dynamics.convs[0].weight *= 3
        nn.init.normal_(dynamics.convs[-1].weight, 0, 0.15)
        for weight in dynamics.time_weights:
            nn.init.normal_(weight, 0, 1)
    return dynamics


@pytest.fixture
def state() -> torch.Tensor:
    return torch.randn(1, 6, 12, 16, generator=torch.Generator().manual_seed(6))


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-4])
def test_dopri5_on_the_accepted_steps_is_the_adaptive_solver_at_that_tolerance(dynamics, state, tolerance):
    grid = accepted_grid(dynamics, state, tolerance)
    assert len(grid) >= 3
    assert (grid[0], grid[-1]) == (0.0, 1.0)
    with torch.no_grad():
        adaptive = Adaptive(tolerance)(dynamics, state)
        unrolled = Unrolled(TABLEAUS["dopri5"], grid)(dynamics, state)
    assert float((unrolled - adaptive).norm() / adaptive.norm()) < 1e-5
    # And dopri5 would accept each of the steps, so its own estimate is at most 1.
    estimating = Unrolled(TABLEAUS["dopri5"], grid, estimate=True)
    with torch.no_grad():
        assert 0.01 < float(estimating.solve(dynamics, state, rtol=tolerance, atol=tolerance).local_error) <= 1


def test_the_estimate_is_the_error_ratio_that_torchdiffeq_steps_by(dynamics, state):
    state, dynamics = state.double(), dynamics.double()
    time, step = (torch.tensor(value, dtype=torch.float64) for value in (0.0, 1.0))

    def field(t, h, **_):
        return dynamics(t, h)

    with torch.no_grad():
        first = dynamics(time, state)
        end, _, error, _ = _runge_kutta_step(field, state, first, time, step, time + step, SHAMPINE)
        theirs = _compute_error_ratio(error, 1e-3, 1e-4, state, end, lambda x: x.square().mean().sqrt())
        ours = Unrolled(TABLEAUS["dopri5"], (0, 1), estimate=True).solve(dynamics, state, rtol=1e-3, atol=1e-4)
    assert float(ours.local_error) == pytest.approx(float(theirs), rel=1e-6)
    torch.testing.assert_close(ours.end, end, rtol=1e-12, atol=1e-12)


def test_the_estimate_is_the_error_norm_that_scipy_steps_by():
    solver = RK23(_predators, 0.0, [1.3, 0.8], 1.0, first_step=0.25, max_step=0.25, rtol=1e-2, atol=1e-3)
    solver.step()
    scale = 1e-3 + 1e-2 * np.maximum(np.abs([1.3, 0.8]), np.abs(solver.y))
    theirs = solver._estimate_error_norm(solver.K, 0.25, scale)
    start = torch.tensor([[1.3, 0.8]], dtype=torch.float64)

    class Quarter(nn.Module):
        """The same quarter of the time, as a whole step."""

        def forward(self, t, h):
            return 0.25 * Predators()(0.25 * t, h[0])[None]

    ours = Unrolled(TABLEAUS["bs3"], (0, 1), estimate=True).solve(Quarter(), start, rtol=1e-2, atol=1e-3)
    assert float(ours.local_error) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("name", ["euler", "midpoint", "heun", "ralston"])
def test_the_estimate_of_a_low_order_becomes_the_true_error_as_steps_shrink(name):
    class Decay(nn.Module):
        def forward(self, _t, h):
            return -0.02 * h

    start = torch.ones(1, 1, dtype=torch.float64)
    solution = Unrolled(TABLEAUS[name], (0, 1), estimate=True).solve(Decay(), start, rtol=0, atol=1)
    true = abs(float(solution.end) - math.exp(-0.02))
    # Heun is the higher order of its pair: its estimate is of Euler's error.
    if name == "heun":
        true = abs(1 - 0.02 - math.exp(-0.02))
    assert float(solution.local_error) == pytest.approx(true, rel=0.02)


def test_the_worst_step_of_each_image_counts():
    class Burst(nn.Module):
        """Moves one image early, the other late."""

        def forward(self, t, h):
            return torch.stack([torch.exp(-40 * t), torch.exp(40 * t - 40)])[:, None].expand_as(h)

    states = torch.zeros(2, 3, dtype=torch.float64)
    solver = Unrolled(TABLEAUS["bs3"], uniform_grid(8), estimate=True)
    both = solver.solve(Burst(), states, rtol=0, atol=1e-6).local_error
    assert both.dtype == torch.float32
    assert both.shape == (2,)
    assert float(both[0]) == pytest.approx(float(both[1]), rel=0.5)
    assert float(both.min()) > 100


@pytest.mark.parametrize("tableau", TABLEAUS.values(), ids=TABLEAUS)
def test_evaluations_are_those_that_happen(tableau, dynamics, state):
    plain, estimating = (Unrolled(tableau, uniform_grid(3), estimate=estimate) for estimate in (False, True))
    with torch.no_grad():
        dynamics.evaluations = 0
        end = plain(dynamics, state)
        assert dynamics.evaluations == plain.evaluations
        dynamics.evaluations = 0
        solution = estimating.solve(dynamics, state, rtol=1e-3, atol=1e-3)
        assert dynamics.evaluations == estimating.evaluations == plain.evaluations + estimating.price_of_estimate
        assert plain.solve(dynamics, state, rtol=1e-3, atol=1e-3).local_error is None
    torch.testing.assert_close(solution.end, end, rtol=1e-6, atol=1e-6)
    assert estimating.price_of_estimate == (
        0 if tableau.name in ("heun", "kutta3", "cash-karp") else 3 if tableau.name == "fehlberg45" else 1
    )


def test_a_method_without_a_second_solution_cannot_estimate():
    lonely = Tableau("lonely", 2, (0, 0.5), ((), (0.5,)), (0, 1))
    with pytest.raises(ExportError, match="'lonely' has no second solution to estimate errors by: give it b_low"):
        Unrolled(lonely, (0, 1), estimate=True)


def test_a_state_that_is_lost_is_an_error(dynamics, state):
    with torch.no_grad():
        dynamics.convs[-1].weight *= 1e30
    with torch.no_grad(), pytest.raises(SolverError, match="euler in 4 steps ends in a state that is not finite"):
        Unrolled(TABLEAUS["euler"], uniform_grid(4)).solve(dynamics, state, rtol=1e-3, atol=1e-3)


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
        (["rk5:1"], "no method is called 'rk5'"),
        (["rk4"], "0 numbers of --steps do not fit 1 solvers"),
        (["rk4:one"], "0 numbers of --steps do not fit 1 solvers"),
        (["rk4:0"], "at least one step"),
    ],
)
def test_a_solver_that_cannot_be_had_is_refused(model, solvers, sentence):
    with pytest.raises(ExportError, match=sentence):
        parse_settings(solvers, model)


def test_settings_are_ordered_from_cheap_to_exact_and_named_once(model):
    settings = parse_settings(["rk4:2", "euler:1", "midpoint:2"], model)
    assert [setting.name for setting in ladder(settings)] == ["eulerx1", "midpointx2", "rk4x2"]
    with pytest.raises(ExportError, match="rk4x1 is asked for twice"):
        ladder(parse_settings(["rk4:1", "rk4:01"], model))


def test_a_network_without_ode_blocks_has_one_plain_setting(make_model):
    plain = make_model(ode_blocks=())
    assert [setting.name for setting in parse_settings([], plain)] == ["plain"]
    with pytest.raises(ExportError, match="nothing to solve"):
        parse_settings(["rk4:1"], plain)
