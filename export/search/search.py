"""From tolerances to rungs: the cheapest solver of each block, verified together on pictures, repaired where needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from hemonode.errors import SolverError
from hemonode.export.frames import PreparedFrame
from hemonode.export.search.blocks import BlockSearch, Measured
from hemonode.export.search.combine import Combination
from hemonode.export.search.cost import Cost, multiply_adds
from hemonode.export.search.exact import References, settle_references
from hemonode.export.search.half import check_half, half_errors
from hemonode.export.search.ledger import Ledger
from hemonode.export.search.measure import Advance, Pictures, spread
from hemonode.export.search.network import Network
from hemonode.export.search.question import Question, rung_name
from hemonode.export.solver_file import BlockChoice, Rung, TableauRecord

_SETTLED_ON = 2
"""Pictures on which the references prove themselves, each solved again in float64."""

_ROUNDED_ON = 3
"""Pictures on which FP16's rounding is measured: it differs little between them."""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        rungs: one for each tolerance, from loose to tight.
        tried: every candidate that was measured in any block, cheap ones first.
        references: how the references were solved.
        half_errors: see `hemonode.export.search.half`.
        cost: what was minimised.
    """

    rungs: tuple[Rung, ...]
    tried: tuple[Measured, ...]
    references: References
    half_errors: Mapping[int, float]
    cost: Cost


def search(
    network: Network,
    frames: Sequence[PreparedFrame],
    question: Question,
    *,
    cost: Cost | None = None,
    ledger: Ledger | None = None,
    advance: Advance = lambda *_: None,
) -> Found:
    """Find the cheapest solvers that keep the tolerances on every frame, and in the network's output.

    Args:
        network: the network; its own integrators are left as they are.
        frames: real pictures, at least one; DESIGN asks for 100.
        question: what is asked.
        cost: to minimise; None is multiply-adds.
        ledger: measurements that are known already, and where new ones go.
        advance: called often, for a progress bar; see `Pictures`.

    Raises:
        SolverError: no frames or ODE blocks, a state that is not finite, or a tolerance that no solver keeps within
            the budget.
    """
    if not frames:
        raise SolverError("no calibration picture was given: name a data set and a split that has some")
    if not network.blocks:
        raise SolverError("this network has no ODE blocks, so there is nothing to calibrate")
    if len({frame.name for frame in frames}) < len(frames):
        raise SolverError("two calibration pictures have the same name: rename one")
    cost = cost or multiply_adds(network)
    tolerances = sorted(set(question.tolerances), reverse=True)
    advance("Settling the references", 0, 1)
    proving = [frames[index] for index in spread(len(frames), _SETTLED_ON)]
    ledger = ledger or Ledger()
    references = _references(network, proving, tolerances[-1], ledger)
    pictures = Pictures(network, frames, references, ledger, advance)
    rounding = half_errors(pictures, spread(len(frames), _ROUNDED_ON))
    if question.half:
        check_half(tolerances, rounding)
    searches = {position: BlockSearch(position, pictures, cost, question) for position in network.blocks}
    rungs = tuple(_rung(pictures, searches, question, tolerance) for tolerance in tolerances)
    tried = (measured for found in searches.values() for measured in found.tried.values())
    return Found(
        rungs=rungs,
        tried=tuple(sorted(tried, key=lambda measured: (measured.position, measured.cost))),
        references=references,
        half_errors=rounding,
        cost=cost,
    )


def _references(network: Network, frames: Sequence[PreparedFrame], finest: float, ledger: Ledger) -> References:
    @cache
    def settled() -> References:
        return settle_references(network, frames, finest)

    def settled_at(position: int) -> tuple[float, float]:
        return settled().tolerances[position], settled().own_errors[position]

    known = {
        position: ledger.recall(f"reference {position} for {finest!r}", partial(settled_at, position))
        for position in network.blocks
    }
    return References(
        {position: values[0] for position, values in known.items()},
        {position: values[1] for position, values in known.items()},
    )


def _rung(pictures: Pictures, searches: Mapping[int, BlockSearch], question: Question, tolerance: float) -> Rung:
    limits = question.limits_of(tolerance)
    combination = Combination(pictures, searches, tolerance, limits)
    change = combination.settle()
    return Rung(
        name=rung_name(tolerance),
        tolerance=tolerance,
        blocks=tuple(
            _choice(measured, *searches[position].adaptive(tolerance))
            for position, measured in combination.chosen.items()
        ),
        estimate=question.estimate,
        changed_mask=change.mask,
        changed_counts=change.counts,
        change=change,
        limit_mask=limits.mask,
        limit_counts=limits.counts,
        repairs=tuple(combination.repairs),
    )


def _choice(measured: Measured, adaptive_evaluations: float, adaptive_error: float) -> BlockChoice:
    solver = measured.solver
    return BlockChoice(
        position=measured.position,
        method=solver.tableau.name,
        grid=solver.grid,
        evaluations=solver.evaluations,
        error=measured.error.whole,
        tile_error=measured.error.tile,
        worst_image=measured.worst_image,
        cost=measured.cost,
        adaptive_evaluations=adaptive_evaluations,
        adaptive_error=adaptive_error,
        tableau=TableauRecord.of(solver.tableau),
    )
