"""Solver settings: a named choice of unrolled solver for every ODE block, and how to put it into a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from hemonode.errors import ExportError
from hemonode.export.tableau import find_tableau
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


def parse_settings(
    texts: Sequence[str], model: nn.Module, steps: Sequence[int] = (), *, estimate: bool = False
) -> tuple[Setting, ...]:
    """The settings that METHOD:STEPS texts ask for, each in every ODE block, in that order.

    A network without ODE blocks has the single setting "plain".

    Args:
        texts: a method's name or the TOML file of a user's own (see `find_tableau`), with `:STEPS` or without.
        model: the network.
        steps: one number for each text without `:STEPS`, in their order.
        estimate: whether the graphs also return error estimates.

    Raises:
        ExportError: an unknown method, not a number of steps, none where there must be one, or one where there is
            nothing to solve.
    """
    positions = [block.position for block in ode_blocks(model)]
    if not positions:
        if texts:
            raise ExportError("this network has no ODE blocks, so there is nothing to solve: leave out --solver")
        return (Setting("plain", {}),)
    pairs = [_split(text) for text in texts]
    missing = sum(count is None for _, count in pairs)
    if missing != len(steps):
        raise ExportError(
            f"{len(steps)} numbers of --steps do not fit {missing} solvers without one: "
            "write --solver METHOD --steps N as often as needed, or --solver METHOD:N"
        )
    counts = iter(steps)
    return tuple(
        _uniform(method, next(counts) if count is None else count, positions, estimate) for method, count in pairs
    )


def ladder(settings: Sequence[Setting]) -> tuple[Setting, ...]:
    """The settings from cheap to exact: by evaluations of f, each of which costs about the same in every block.

    Raises:
        ExportError: the same name twice.
    """
    names = [setting.name for setting in settings]
    for name in names:
        if names.count(name) > 1:
            raise ExportError(f"solver setting {name} is asked for twice: name each once")
    return tuple(sorted(settings, key=lambda setting: setting.evaluations))


def _split(text: str) -> tuple[str, int | None]:
    """Method and steps; a path may hold colons of its own."""
    method, _, count = text.rpartition(":")
    return (method, int(count)) if count.isascii() and count.isdigit() else (text, None)


def _uniform(method: str, steps: int, positions: Sequence[int], estimate: bool) -> Setting:
    tableau = find_tableau(method)
    solver = Unrolled(tableau, uniform_grid(steps), estimate=estimate)
    return Setting(f"{tableau.name}x{steps}", dict.fromkeys(positions, solver))


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
