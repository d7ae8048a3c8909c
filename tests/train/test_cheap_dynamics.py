"""Training options that make a tolerance need fewer evaluations: what they measure, and that they act."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from hemonode.errors import RecipeError
from hemonode.train.models.config import ModelConfig, OdeBlockConfig
from hemonode.train.models.integrators import FixedStep
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.pair_steps import PairSteps
from hemonode.train.models.table import build_model, ode_blocks
from hemonode.train.penalties import check_penalties, penalise, penalty
from hemonode.train.recipe import DynamicsPart, TrainingPart
from hemonode.train.solvers import draw_end_time, use_solver


class Grows(nn.Module):
    """dh/dt = rate · h."""

    def __init__(self, rate: float = 1.0) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(rate))

    def forward(self, _t: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return self.rate * h


def options(**values: object) -> TrainingPart:
    needed = {"epochs": 1, "steps_per_epoch": 1, "batch_size": 1, "crop_px": 64, "learning_rate": 1e-3}
    return TrainingPart.model_validate({**needed, "class_weights": (1.0,), **values})


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    model = build_model(ModelConfig(width=4, ode_blocks=(OdeBlockConfig(position=5, tolerance=1e-3),)))
    for block in ode_blocks(model):
        for parameter in block.dynamics.parameters():
            nn.init.normal_(parameter, std=0.1)
    return model


def test_a_pairs_step_and_its_estimate_are_those_worked_out_by_hand() -> None:
    # For dh/dt = h and one step of length 1: 1 + 1 + 1/2 + 1/6, against Bogacki and Shampine's second solution.
    stepper = PairSteps("bs3", 1)
    end = stepper(Grows(), torch.ones(2, 1, 3, 3))
    assert end.detach().numpy() == pytest.approx(np.full((2, 1, 3, 3), 8 / 3))
    second = 1 + 7 / 24 + 1.5 / 4 + 2.125 / 3 + (8 / 3) / 8
    # Over ‖h(1) − h(0)‖, and a thousandth of ‖h(0)‖.
    assert stepper.local_error is not None
    assert stepper.local_error.detach().numpy() == pytest.approx((second - 8 / 3) / (5 / 3 + 1e-3), rel=1e-4)


@pytest.mark.parametrize(("name", "order"), [("bs3", 3), ("dopri5", 5)])
def test_halving_a_pairs_step_divides_its_error_by_its_order(name: str, order: int) -> None:
    def error(steps: int) -> float:
        state = torch.ones(1, 1, 1, 1, dtype=torch.float32)
        return abs(float(PairSteps(name, steps)(Grows(-2.0), state).detach()) - math.exp(-2.0))

    assert error(1) / error(2) > 0.8 * 2**order


def test_a_block_at_rest_has_no_local_error_and_finite_gradients() -> None:
    grows = Grows(0.0)
    stepper = PairSteps("bs3", 1)
    stepper(grows, torch.ones(1, 1, 2, 2))
    assert stepper.local_error is not None
    assert stepper.local_error.detach().numpy() < 1e-3
    stepper.local_error.sum().backward()
    assert torch.isfinite(grows.rate.grad)


def measured(weights: DynamicsPart, rate: float) -> tuple[torch.Tensor, dict[str, float]]:
    block = ODEBlock(1, 5, 1e-3, 1, "silu")
    block.dynamics = Grows(rate)
    block.integrator = FixedStep("euler", 1)
    holder = nn.ModuleList([block])
    penalise(holder, weights, seed=0)
    block(torch.full((1, 1, 2, 2), 2.0, requires_grad=True))
    total, sums = penalty(holder, weights)
    assert isinstance(total, torch.Tensor)
    return total, sums


def test_kinetic_energy_is_the_mean_square_of_the_slope() -> None:
    total, sums = measured(DynamicsPart(kinetic=0.5), rate=3.0)
    assert sums == {"kinetic": pytest.approx(36.0)}
    assert float(total.detach()) == pytest.approx(18.0)


def test_the_jacobian_penalty_is_its_mean_square() -> None:
    total, sums = measured(DynamicsPart(jacobian=2.0), rate=3.0)
    assert sums == {"jacobian": pytest.approx(9.0)}
    assert float(total.detach()) == pytest.approx(18.0)


@pytest.mark.parametrize("name", ["local_error", "kinetic", "jacobian"])
def test_each_penalty_lowers_what_it_measures_when_it_is_followed(model: nn.Module, name: str) -> None:
    weights = DynamicsPart.model_validate({name: 1.0})
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    frames = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    figures = []
    for _ in range(4):
        use_solver(model, "bs3:1")
        penalise(model, weights, seed=2)
        model(frames)
        total, sums = penalty(model, weights)
        figures.append(sums[name])
        optimiser.zero_grad()
        assert isinstance(total, torch.Tensor)
        total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    assert figures[-1] < 0.98 * figures[0]


def test_without_penalties_training_is_what_it_was(model: nn.Module) -> None:
    use_solver(model, "rk4:1")
    before = [block.integrator for block in ode_blocks(model)]
    penalise(model, DynamicsPart(), seed=0)
    assert [block.integrator for block in ode_blocks(model)] == before
    assert penalty(model, DynamicsPart()) == (0.0, {})


@pytest.mark.parametrize("solver", ["rk4:2", "bs3:2", "dopri5"])
def test_a_random_end_time_is_where_the_solution_ends(solver: str) -> None:
    block = ODEBlock(1, 5, 1e-6, 1, "silu")
    use_solver(nn.ModuleList([block]), solver, end_time=0.5)
    end = block.integrator(Grows(), torch.ones(1, 1, 1, 1))
    assert float(end.detach()) == pytest.approx(math.exp(0.5), rel=1e-3)


def test_end_times_spread_over_the_range_and_are_drawn_again_when_training_resumes() -> None:
    times = [draw_end_time(0.5, 7, step) for step in range(200)]
    assert times == [draw_end_time(0.5, 7, step) for step in range(200)]
    assert min(times) < 0.55
    assert max(times) > 1.45
    assert all(0.5 <= time <= 1.5 for time in times)
    assert draw_end_time(0.0, 7, 3) == 1.0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"solvers": ("rk4:1",), "dynamics": {"local_error": 1.0}}, "bs3:1"),
        ({"solvers": ("dopri5",), "adjoint": True, "dynamics": {"kinetic": 1.0}}, "adjoint"),
    ],
)
def test_penalties_that_would_measure_nothing_are_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        check_penalties(options(**values))
