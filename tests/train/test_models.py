"""The network: solvers agree on what a block computes, time matters, and a plain U-Net is the same without blocks."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from hemonode.errors import RecipeError
from hemonode.train.models.config import ModelConfig, OdeBlockConfig
from hemonode.train.models.integrators import Adaptive, FixedStep
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import build_model, ode_blocks
from hemonode.train.solvers import draw_solver, evaluations, use_solver


def _lively(block: ODEBlock) -> ODEBlock:
    """A fresh block is the identity; this one moves, and depends on time."""
    generator = torch.Generator().manual_seed(0)
    for conv, weight in zip(block.dynamics.convs, block.dynamics.time_weights, strict=True):
        conv.weight.data = torch.randn(conv.weight.shape, generator=generator) * 0.08
        weight.data = torch.randn(weight.shape, generator=generator) * 0.3
    return block


@pytest.fixture
def block() -> ODEBlock:
    return _lively(ODEBlock(8, position=5, tolerance=1e-6, convs=2, activation="silu"))


@pytest.fixture
def state() -> torch.Tensor:
    return torch.randn(1, 8, 12, 10, generator=torch.Generator().manual_seed(1))


def test_a_fresh_block_is_the_identity(state: torch.Tensor) -> None:
    assert torch.allclose(ODEBlock(8, 4, 1e-4, 2, "silu")(state), state, atol=1e-6)


def test_many_fixed_steps_reach_the_adaptive_solution(block: ODEBlock, state: torch.Tensor) -> None:
    with torch.no_grad():
        adaptive = block(state)
        block.integrator = FixedStep("rk4", 16)
        fixed = block(state)
    assert (adaptive - state).norm() > 0.1 * state.norm()
    assert (adaptive - fixed).norm() < 1e-4 * (adaptive - state).norm()


def test_a_tighter_tolerance_costs_more_evaluations(block: ODEBlock, state: torch.Tensor) -> None:
    counts = []
    for tolerance in (1e-2, 1e-6):
        block.integrator = Adaptive(tolerance)
        block.dynamics.evaluations = 0
        with torch.no_grad():
            block(state)
        counts.append(block.dynamics.evaluations)
    assert counts[0] < counts[1]


def test_adjoint_and_direct_gradients_agree(block: ODEBlock, state: torch.Tensor) -> None:
    gradients = []
    for adjoint in (False, True):
        block.zero_grad()
        block.integrator = Adaptive(1e-6, adjoint=adjoint)
        block(state).square().sum().backward()
        gradients.append(block.dynamics.convs[0].weight.grad.clone())
    assert (gradients[0] - gradients[1]).norm() < 1e-3 * gradients[0].norm()


def test_the_solution_depends_on_time(block: ODEBlock, state: torch.Tensor) -> None:
    with torch.no_grad():
        early = block.dynamics(torch.tensor(0.0), state)
        late = block.dynamics(torch.tensor(1.0), state)
    assert (early - late).abs().max() > 0.01


@pytest.mark.parametrize("positions", [(), (4, 5, 6), (1, 9)])
def test_masks_keep_the_pictures_size_and_heat_maps_a_quarter(positions: tuple[int, ...]) -> None:
    blocks = tuple(OdeBlockConfig(position=position, tolerance=1e-3) for position in positions)
    model = build_model(ModelConfig(width=4, ode_blocks=blocks)).eval()
    use_solver(model, "euler:1")
    with torch.no_grad():
        outputs = model(torch.zeros(2, 3, 48, 64))
    assert outputs.logits.shape == (2, 4, 48, 64)
    assert outputs.heat_logits.shape == (2, 3, 12, 16)
    assert [block.position for block in ode_blocks(model)] == list(positions)
    assert evaluations(model) == dict.fromkeys(positions, 1)


def test_a_size_that_does_not_fit_is_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match="multiples of 16"):
        build_model(ModelConfig(width=4))(torch.zeros(1, 3, 50, 64))


def test_the_papers_half_width_network_has_its_parameters() -> None:
    model = build_model(ModelConfig(ode_blocks=()))
    assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(7.85e6, rel=0.02)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(RecipeError, match="nodes-unet"):
        build_model(ModelConfig(architecture="perceptron"))
    with pytest.raises(RecipeError, match="METHOD:STEPS"):
        use_solver(build_model(ModelConfig(width=4)), "rk4:0")
    with pytest.raises(ValidationError):
        ModelConfig(ode_blocks=(OdeBlockConfig(position=4, tolerance=1e-3),) * 2)


def test_the_drawn_solver_of_a_step_is_always_the_same() -> None:
    names = ("midpoint:1", "rk4:1", "rk4:2")
    drawn = [draw_solver(names, 7, step) for step in range(50)]
    assert drawn == [draw_solver(names, 7, step) for step in range(50)]
    assert set(drawn) == set(names)
