"""Solvers as a bundle's manifest records them, and back: whoever repeats an exported setting in torch starts here."""

from __future__ import annotations

from collections.abc import Mapping

from hemonode.export.solver_file import BlockChoice
from hemonode.export.solver_file import TableauRecord as OwnTableau
from hemonode.export.unroll import Unrolled
from hemonode.runtime.bundle.schema import BlockSolver, SolverSetting, TableauRecord


def block_record(position: int, solver: Unrolled) -> BlockSolver:
    """How one block is solved, before anything is measured; a tableau of the user's own is written out."""
    own = OwnTableau.of(solver.tableau)
    return BlockSolver(
        position=position,
        method=solver.tableau.name,
        tableau=None if own is None else TableauRecord.model_validate(own.model_dump(mode="json")),
        grid=solver.grid,
        evaluations=solver.evaluations,
        estimates=solver.estimate,
        price_of_estimate=solver.price_of_estimate,
    )


def recorded_solvers(setting: SolverSetting) -> Mapping[int, Unrolled]:
    """The solver of each ODE block of a recorded setting, by position.

    Raises:
        ExportError: a method that is unknown here, or an inconsistent tableau.
    """
    return {block.position: _solver(block) for block in setting.blocks}


def _solver(block: BlockSolver) -> Unrolled:
    own = None if block.tableau is None else OwnTableau.model_validate(block.tableau.model_dump())
    choice = BlockChoice(position=block.position, method=block.method, grid=block.grid, tableau=own)
    return choice.solver(estimate=block.estimates)
