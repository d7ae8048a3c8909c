"""The one way in which a user chose a bundle's solvers: by method, from a solver file, or by tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from hemonode.errors import ExportError
from hemonode.export.search.question import Question
from hemonode.export.settings import Setting, parse_settings
from hemonode.export.solver_file import read_matching_file
from hemonode.train.models.table import ode_blocks

Search = Callable[[Question], Sequence[Setting]]
"""Finds the cheapest setting that keeps each tolerance."""


@dataclass(frozen=True)
class Choice:
    """What was asked for on the command line.

    Attributes:
        solvers: methods, with `:STEPS` or without.
        steps: one number for each solver that has none.
        solver_file: that `calibrate solver` wrote.
        tolerances: to search the cheapest solvers for.
        estimate: whether every setting shall return error estimates.
        default: which setting a device uses unasked: its name, METHOD:STEPS or its tolerance; None is the first.
    """

    solvers: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    solver_file: Path | None = None
    tolerances: tuple[float, ...] = ()
    estimate: bool = False
    default: str | None = None

    def check(self, model: nn.Module) -> None:
        """Refuse what no amount of work could fulfil.

        Raises:
            ExportError: no way of choosing or more than one.
            SolverError: a tolerance that no solver can keep.
        """
        ways = {
            "--solver": bool(self.solvers or self.steps),
            "--solver-file": self.solver_file is not None,
            "--tolerance": bool(self.tolerances),
        }
        asked = [way for way, given in ways.items() if given]
        if len(asked) > 1:
            raise ExportError(f"{' and '.join(asked)} are different ways to choose solvers: keep one of them")
        if not asked and ode_blocks(model):
            raise ExportError(
                "nothing says how to solve the ODE blocks: give --tolerance 1e-3, --solver rk4 --steps 2, "
                "or --solver-file solver.json"
            )
        if asked and not ode_blocks(model):
            raise ExportError(f"this network has no ODE blocks, so there is nothing to solve: leave out {asked[0]}")
        if self.tolerances:
            self._question()

    def settings(self, model: nn.Module, checkpoint: Path, search: Search) -> tuple[Setting, ...]:
        """The settings, in the order in which they were asked for.

        Raises:
            ExportError: a solver is unknown or unusable, the solver file is for another checkpoint, or no solver keeps
                a tolerance.
        """
        self.check(model)
        if self.tolerances:
            return _as_asked(search(self._question()), self.tolerances)
        if self.solver_file is None:
            return parse_settings(self.solvers, model, self.steps, estimate=self.estimate)
        return read_matching_file(self.solver_file, checkpoint).settings(model, estimate=self.estimate)

    def _question(self) -> Question:
        return Question(tolerances=self.tolerances, estimate=self.estimate)

    def default_of(self, settings: Sequence[Setting]) -> str:
        """The name of the default setting.

        Args:
            settings: in the order in which they were asked for.

        Raises:
            ExportError: `default` is none of them.
        """
        if self.default is None:
            return settings[0].name
        for setting in settings:
            if self.default.replace(":", "x") == setting.name or _number(self.default) == setting.tolerance:
                return setting.name
        names = ", ".join(setting.name for setting in settings)
        raise ExportError(f"--default {self.default} is none of the settings asked for: choose one of {names}")


def _as_asked(settings: Sequence[Setting], tolerances: Sequence[float]) -> tuple[Setting, ...]:
    found = {setting.tolerance: setting for setting in settings}
    return tuple(found[tolerance] for tolerance in dict.fromkeys(tolerances))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
