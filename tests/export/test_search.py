"""A tolerance finds the cheapest solver of each block that keeps it, on every picture and in the network's output."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from hemonode.errors import SolverError
from hemonode.export.block_error import block_error
from hemonode.export.search.candidates import uniform_candidates
from hemonode.export.search.confirm import confirm
from hemonode.export.search.cost import multiply_adds
from hemonode.export.search.exact import solve_exactly
from hemonode.export.search.ledger import Ledger
from hemonode.export.search.network import Network
from hemonode.export.search.question import Limits, Question, rung_name
from hemonode.export.search.search import search
from hemonode.export.tableau import TABLEAUS
from hemonode.train.models.integrators import Adaptive
from hemonode.train.models.ode_block import Dynamics
from hemonode.train.models.table import ode_blocks

ANYTHING = Limits(mask=1, counts=math.inf)
METHODS = tuple(TABLEAUS[name] for name in ("euler", "heun", "bs3", "rk4", "cash-karp"))
STRIDES = {4: 8, 6: 8}


def asked(*tolerances: float, limits: Limits = ANYTHING, **fields) -> Question:
    return Question(
        tolerances, **{"tableaus": METHODS, "budget": 12, "limits": dict.fromkeys(tolerances, limits), **fields}
    )


@pytest.fixture(scope="module")
def network(checkpoint, model) -> Network:
    return Network.of(checkpoint, model)


@pytest.fixture(scope="module")
def frames(make_frame):
    return [make_frame(128, 128, seed) for seed in range(4)]


@pytest.fixture(scope="module")
def found(network, frames):
    return search(network, frames, asked(3e-2, 1e-3))


@pytest.fixture(scope="module")
def truths(network, frames):
    """By an independent reference: far tighter, in float64 throughout."""
    found = []
    for frame in frames:
        for position, states in solve_exactly(network, frame, dict.fromkeys(network.blocks, 1e-8)).states.items():
            dynamics = copy.deepcopy(network.blocks[position].dynamics).double()
            with torch.no_grad():
                found.append((position, states.start, Adaptive(1e-9)(dynamics, states.start.double())))
    return found


def largest_errors(network, truths, solver) -> dict[int, float]:
    worst = dict.fromkeys(network.blocks, 0.0)
    for position, start, end in truths:
        with torch.no_grad():
            error = block_error(start, solver(network.blocks[position].dynamics, start), end, STRIDES[position])
        worst[position] = max(worst[position], *error)
    return worst


def test_no_cheaper_candidate_keeps_the_tolerance(network, truths, found) -> None:
    cost = multiply_adds(network)
    candidates = uniform_candidates(METHODS, 12, estimate=False)
    errors = [largest_errors(network, truths, candidate) for candidate in candidates]
    for rung in found.rungs:
        for block in rung.blocks:
            keeping = [
                cost(block.position, candidate)
                for candidate, error in zip(candidates, errors, strict=True)
                if error[block.position] <= rung.tolerance
            ]
            # Sums of slopes, a hundredth of an evaluation, decide nothing.
            assert block.cost < min(keeping) + 0.1 * cost.per_evaluation[block.position]


def test_recorded_errors_are_the_true_ones(network, truths, found) -> None:
    for rung in found.rungs:
        for block in rung.blocks:
            true = largest_errors(network, truths, block.solver(estimate=False))[block.position]
            assert max(block.error, block.tile_error) == pytest.approx(true, abs=0.1 * 1e-3)
            assert block.tile_error <= rung.tolerance


def test_tighter_tolerances_cost_more(found) -> None:
    loose, tight = found.rungs
    assert (loose.name, tight.name) == ("tol3e-2", "tol1e-3")
    assert sum(block.cost for block in loose.blocks) < sum(block.cost for block in tight.blocks)
    assert all(block.adaptive_evaluations >= 14 for block in tight.blocks)


def test_references_are_ten_times_more_exact_than_asked(found) -> None:
    assert max(found.references.own_errors.values()) <= 1e-4


def test_blocks_that_fail_together_are_repaired_where_it_helps_most(network, frames) -> None:
    loose = search(network, frames, asked(0.2)).rungs[0]
    assert loose.change.mask > 0
    limits = Limits(mask=loose.change.mask / 3, counts=math.inf)
    repaired = search(network, frames, asked(0.2, limits=limits)).rungs[0]
    assert repaired.repairs
    assert repaired.change.mask <= limits.mask
    assert repaired.change.images == len(frames)
    first = repaired.repairs[0]
    frame = next(frame for frame in frames if frame.name == first.change.worst_image)
    tolerances = dict.fromkeys(network.blocks, 1e-8)
    truth = solve_exactly(network, frame, tolerances).answer.class_ids
    alone = {}
    for block in loose.blocks:
        solvers = {
            **{position: Adaptive(1e-6) for position in tolerances},
            block.position: block.solver(estimate=False),
        }
        alone[block.position] = np.mean(network.answer(frame, solvers).class_ids != truth)
    assert first.position == max(alone, key=alone.get)


def test_counts_that_change_are_repaired(network, frames) -> None:
    loose = search(network, frames, asked(0.5)).rungs[0]
    assert loose.change.counts > 0
    repaired = search(network, frames, asked(0.5, limits=Limits(mask=1, counts=0))).rungs[0]
    assert repaired.repairs
    assert repaired.change.counts == 0


def test_an_output_that_no_combination_keeps_is_refused_with_the_best_found(network, frames) -> None:
    with pytest.raises(SolverError, match=r"no combination .* best\s+found changes .* of the mask on noise\d"):
        search(network, frames, asked(0.2, limits=Limits(mask=0, counts=0), budget=3))


def test_stiff_dynamics_are_refused_with_the_best_found(network, frames) -> None:
    with pytest.raises(
        SolverError, match=r"ODE block 4 is too stiff .* within 2 .* best found is heun×1 .* on noise\d"
    ):
        search(network, frames, asked(1e-4, budget=2, tableaus=METHODS[:2]))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_state_that_is_not_finite_names_block_and_picture(make_model, checkpoint, frames, value) -> None:
    broken = make_model()
    with torch.no_grad():
        ode_blocks(broken)[1].dynamics.convs[0].bias[0] = value
    with pytest.raises(SolverError, match="ODE block 6 on noise0"):
        search(Network.of(checkpoint, broken), frames, asked(1e-2))


@pytest.mark.parametrize(
    ("tolerance", "says"),
    [
        (0.0, "above 0"),
        (-1e-3, "above 0"),
        (math.nan, "above 0"),
        (1.0, "asks for nothing"),
        (math.inf, "asks for nothing"),
        (1e-9, "tighter than FP32 can hold"),
    ],
)
def test_tolerances_that_cannot_be_kept_are_refused(tolerance, says) -> None:
    with pytest.raises(SolverError, match=says):
        asked(tolerance)


def test_a_tolerance_tighter_than_fp16_says_what_fp16_can_hold(network, frames, found) -> None:
    assert all(1e-5 < error < 1e-2 for error in found.half_errors.values())
    with pytest.raises(SolverError, match=rf"FP16 can hold.*{max(found.half_errors.values()):.1e} in ODE block"):
        search(network, frames, asked(1e-5, half=True))


def test_no_pictures_or_twice_the_same_are_refused(network, frames) -> None:
    with pytest.raises(SolverError, match="no calibration picture"):
        search(network, [], asked(1e-2))
    with pytest.raises(SolverError, match="same name"):
        search(network, [frames[0], frames[0]], asked(1e-2))


def test_what_was_measured_is_not_measured_again(network, frames, found, monkeypatch) -> None:
    entries: dict[str, tuple[float, ...]] = {}
    first = search(network, frames, asked(3e-2, 1e-3), ledger=Ledger(entries))
    assert first.rungs == found.rungs
    calls = 0
    forward = Dynamics.forward

    def counted(self, t, h):
        nonlocal calls
        calls += h.shape[0]
        return forward(self, t, h)

    monkeypatch.setattr(Dynamics, "forward", counted)
    known = len(entries)
    again = search(network, frames, asked(3e-2, 1e-3), ledger=Ledger(entries))
    assert again.rungs == first.rungs
    assert len(entries) == known
    # The costs need the shapes of the states: one Euler step in each block.
    assert calls == len(network.blocks)


def test_estimates_are_paid_for(network, frames) -> None:
    (rung,) = search(network, frames, asked(1e-2, estimate=True)).rungs
    assert rung.estimate
    for position, solver in rung.setting().solvers.items():
        assert solver.estimate
        block = next(block for block in rung.blocks if block.position == position)
        assert block.evaluations == solver.evaluations


def test_of_solvers_that_cost_the_same_the_one_of_higher_order_is_taken(network, frames) -> None:
    # With its estimate, the midpoint rule costs as many evaluations as Kutta's third-order rule.
    methods = (TABLEAUS["midpoint"], TABLEAUS["kutta3"])
    (rung,) = search(network, frames[:1], asked(0.5, tableaus=methods, estimate=True)).rungs
    assert {solver.tableau.name for solver in rung.setting().solvers.values()} == {"kutta3"}


def test_held_out_pictures_confirm_or_refute(network, frames, found, make_frame) -> None:
    held_out = [make_frame(128, 128, 90), make_frame(128, 144, 91)]
    good = found.rungs[1]
    crude = good.model_copy(update={"blocks": found.rungs[0].blocks})
    refuted = confirm(network, held_out, [crude], found.references)[0].held_out
    assert not refuted.keeps
    assert max(refuted.tile_errors.values()) > 1e-3
    assert refuted.change.images == 2
    lenient = good.model_copy(update={"tolerance": 0.1})
    assert confirm(network, held_out, [lenient], found.references)[0].held_out.keeps
    strict = lenient.model_copy(update={"blocks": found.rungs[0].blocks, "limit_mask": 0.0, "limit_counts": 0.0})
    assert not confirm(network, held_out, [strict], found.references)[0].held_out.keeps


@pytest.mark.parametrize(
    ("tolerance", "name"), [(1e-3, "tol1e-3"), (0.01, "tol1e-2"), (2.5e-4, "tol2.5e-4"), (0.5, "tol5e-1")]
)
def test_rungs_are_called_by_their_tolerance(tolerance, name) -> None:
    assert rung_name(tolerance) == name
