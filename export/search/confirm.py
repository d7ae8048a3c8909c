"""Chosen rungs on pictures that were not used for the choice."""

from __future__ import annotations

from collections.abc import Sequence

from hemonode.export.frames import PreparedFrame
from hemonode.export.search.combine import holds, output_change
from hemonode.export.search.exact import References
from hemonode.export.search.ledger import Ledger
from hemonode.export.search.measure import Advance, Pictures
from hemonode.export.search.network import Network
from hemonode.export.search.question import Limits
from hemonode.export.solver_file import Rung
from hemonode.export.solver_record import Confirmation


def confirm(
    network: Network,
    frames: Sequence[PreparedFrame],
    rungs: Sequence[Rung],
    references: References,
    *,
    ledger: Ledger | None = None,
    advance: Advance = lambda *_: None,
) -> tuple[Rung, ...]:
    """The rungs with their errors and changes on held-out pictures, and whether they keep their tolerance there.

    Args:
        network: the network that they were chosen for.
        frames: the pictures, at least one.
        rungs: of a search, with tolerance and limits.
        references: as the search settled them.
        ledger: measurements that are known already, and where new ones go.
        advance: see `search`.

    Raises:
        SolverError: a state is not finite.
    """
    pictures = Pictures(network, frames, references, ledger or Ledger(), advance)
    return tuple(rung.model_copy(update={"held_out": _confirmation(pictures, rung)}) for rung in rungs)


def _confirmation(pictures: Pictures, rung: Rung) -> Confirmation:
    assert rung.tolerance is not None
    assert rung.limit_mask is not None
    assert rung.limit_counts is not None
    solvers = rung.setting().solvers
    errors = {
        position: [pictures.error(position, solver, index) for index in range(len(pictures))]
        for position, solver in solvers.items()
    }
    whole = {position: max(error.whole for error in found) for position, found in errors.items()}
    tile = {position: max(error.tile for error in found) for position, found in errors.items()}
    change = output_change(pictures, solvers)
    within = max(*whole.values(), *tile.values()) <= rung.tolerance
    return Confirmation(
        change=change,
        errors=whole,
        tile_errors=tile,
        keeps=within and holds(change, Limits(rung.limit_mask, rung.limit_counts)),
    )
