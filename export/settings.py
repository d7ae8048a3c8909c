"""Solver settings: a named choice of unrolled solver for every ODE block, and how to put it into a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from hemonode.errors import ExportError
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.train.models.integrators import Integrator
from hemonode.train.models.table import ode_blocks


@dataclass(frozen=True)
class Setting:
    """One rung of the bundle's ladder.

    Attributes:
        name: a part of file names.
        solvers: the unrolled solver of each ODE block, by position.
        tolerance: that it was chosen to keep; None where it was asked for by method.
    """

    name: str
    solvers: Mapping[int, Unrolled]
    tolerance: float | None = None

    @property
    def evaluations(self) -> int:
        """Evaluations of f in one pass of the network, over all blocks."""
        return sum(solver.evaluations for solver in self.solvers.values())


def parse_settings(texts: Sequence[str], model: nn.Module) -> tuple[Setting, ...]:
    """The settings that METHOD:STEPS texts ask for, each in every ODE block, from few evaluations to many.

    A network without ODE blocks has the single setting "plain".

    Raises:
        ExportError: an unknown method, not a number of steps, the same setting twice, none where there must be
            one, or one where there is nothing to solve.
    """
    positions = [block.position for block in ode_blocks(model)]
    if not positions:
        if texts:
            raise ExportError("this network has no ODE blocks, so there is nothing to solve: leave out --solver")
        return (Setting("plain", {}),)
    if not texts:
        raise ExportError(f"no solver was named: give --solver METHOD:STEPS, a method of {', '.join(TABLEAUS)}")
    settings = [_parse(text, positions) for text in texts]
    names = [setting.name for setting in settings]
    for name in names:
        if names.count(name) > 1:
            raise ExportError(f"solver setting {name} is asked for twice: name each --solver once")
    return tuple(sorted(settings, key=lambda setting: setting.evaluations))


def _parse(text: str, positions: Sequence[int]) -> Setting:
    method, _, steps = text.partition(":")
    if method not in TABLEAUS or not (steps.isascii() and steps.isdigit()):
        known = ", ".join(TABLEAUS)
        raise ExportError(f"solver '{text}' is unknown: write METHOD:STEPS, such as rk4:1, with a method of {known}")
    solver = Unrolled(TABLEAUS[method], uniform_grid(int(steps)))
    return Setting(f"{method}x{int(steps)}", dict.fromkeys(positions, solver))


@contextmanager
def integrating(model: nn.Module, integrators: Mapping[int, Integrator]) -> Iterator[None]:
    """Let the ODE blocks at these positions use these integrators; the former ones return at the end."""
    blocks = [block for block in ode_blocks(model) if block.position in integrators]
    former = [block.integrator for block in blocks]
    for block in blocks:
        block.integrator = integrators[block.position]
    try:
        yield
    finally:
        for block, integrator in zip(blocks, former, strict=True):
            block.integrator = integrator
