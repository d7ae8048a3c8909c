"""`solver.json`: the solver settings that a calibration chose for one checkpoint, with what it measured."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

from hemonode.errors import ExportError, OutputError
from hemonode.export.settings import Setting
from hemonode.export.tableau import TABLEAUS, Tableau
from hemonode.export.unroll import Unrolled
from hemonode.train.models.table import ode_blocks

SCHEMA_VERSION = 1


class _Record(BaseModel):
    # `forbid`: the file may be written by hand, and a misspelt field must not be dropped in silence.
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableauRecord(_Record):
    """A tableau of the user's own, written out, so that the file needs no other."""

    order: int = Field(ge=1)
    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    b_low: tuple[float, ...] | None = None
    low_order: int | None = None

    @classmethod
    def of(cls, tableau: Tableau) -> TableauRecord | None:
        """The record of a tableau, or None for one that hemonode knows by its name."""
        if TABLEAUS.get(tableau.name) == tableau:
            return None
        return cls(
            order=tableau.order,
            c=tableau.c,
            a=tableau.a,
            b=tableau.b,
            b_low=tableau.b_low,
            low_order=tableau.low_order,
        )

    def tableau(self, name: str) -> Tableau:
        """The tableau, checked.

        Raises:
            ExportError: its coefficients are inconsistent.
        """
        return Tableau(name, self.order, c=self.c, a=self.a, b=self.b, b_low=self.b_low, low_order=self.low_order)


class BlockChoice(_Record):
    """The solver of one ODE block, and its worst errors over the calibration images."""

    position: int = Field(ge=1, le=9)
    method: str
    """A tableau that hemonode knows, or the name of `tableau`."""
    grid: tuple[float, ...]
    """Rising times from 0 to 1."""
    evaluations: int | None = Field(default=None, gt=0)
    """Of f in one pass, those for the estimate included."""
    error: float | None = Field(default=None, ge=0)
    """Largest ‖h − h_ref‖ / ‖h_ref − h(0)‖ over whole images."""
    tile_error: float | None = Field(default=None, ge=0)
    """The same over the worst 32 px tile of any image."""
    tableau: TableauRecord | None = None

    def solver(self, *, estimate: bool) -> Unrolled:
        """The unrolled solver.

        Raises:
            ExportError: an unknown method, an inconsistent tableau, or a grid that does not rise from 0 to 1.
        """
        if self.tableau is not None:
            return Unrolled(self.tableau.tableau(self.method), self.grid, estimate=estimate)
        if self.method not in TABLEAUS:
            raise ExportError(
                f"ODE block {self.position}: method '{self.method}' is unknown: write its coefficients as 'tableau', "
                f"or use one of {', '.join(TABLEAUS)}"
            )
        return Unrolled(TABLEAUS[self.method], self.grid, estimate=estimate)


class Rung(_Record):
    """One setting of the ladder: a solver for every ODE block."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """A part of file names."""
    tolerance: float | None = Field(default=None, gt=0)
    """That the setting keeps; None where it was asked for by method."""
    blocks: tuple[BlockChoice, ...]
    estimate: bool = False
    """Whether the graph also returns each block's error estimate."""
    changed_mask: float | None = Field(default=None, ge=0, le=1)
    """Largest share of an image's mask pixels that differ from the adaptive solver's."""
    changed_counts: float | None = Field(default=None, ge=0)
    """Share of counted cells, over all images and classes, by which the counts differ from the adaptive solver's."""

    def setting(self) -> Setting:
        """The setting to export.

        Raises:
            ExportError: a block's solver is not usable.
        """
        solvers = {block.position: block.solver(estimate=self.estimate) for block in self.blocks}
        return Setting(self.name, solvers, self.tolerance)


class CalibrationRecord(_Record):
    """What the choice was made on."""

    hemonode_version: str
    data: tuple[str, ...]
    """Names of the data sets."""
    images: int = Field(ge=0)
    seed: int


class SolverFile(_Record):
    """The whole `solver.json`."""

    schema_version: int = SCHEMA_VERSION
    checkpoint_sha256: str | None = None
    """The checkpoint that was measured; None in a file written by hand, which fits any with the same ODE blocks."""
    model: str
    """Architecture of the network."""
    rungs: tuple[Rung, ...] = Field(min_length=1)
    """From cheap to exact."""
    calibration: CalibrationRecord | None = None

    def settings(self, model: nn.Module) -> tuple[Setting, ...]:
        """The settings of every rung, in the file's order.

        Raises:
            ExportError: a rung does not solve exactly the network's ODE blocks, or a solver is not usable.
        """
        wanted = [block.position for block in ode_blocks(model)]
        for rung in self.rungs:
            given = sorted(block.position for block in rung.blocks)
            if given != wanted:
                raise ExportError(
                    f"rung {rung.name} solves the ODE blocks at {given}, but the network has them at {wanted}: "
                    "calibrate this checkpoint, or edit the file"
                )
        return tuple(rung.setting() for rung in self.rungs)


def read_solver_file(path: Path) -> SolverFile:
    """Read and check a solver file.

    Raises:
        ExportError: missing, not ours, of a newer schema, or with a value that cannot be.
    """
    try:
        content = path.read_bytes()
        version = json.loads(content)["schema_version"]
    except OSError as error:
        raise ExportError(
            f"there is no readable solver file {path} ({error}): let calibrate solver write one"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{path} is damaged or no solver file ({error!r}): let calibrate solver write it") from error
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ExportError(
            f"{path} was written by a newer hemonode (schema {version}, this one reads up to {SCHEMA_VERSION}): upgrade"
        )
    try:
        return SolverFile.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ExportError(f"{path} is not valid at '{where}': {first['msg']}; correct it or calibrate again") from error


def write_solver_file(path: Path, file: SolverFile) -> None:
    """Write a solver file, whole or not at all.

    Raises:
        OutputError: it cannot be written there.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(file.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error}): make room or choose another place") from error
    finally:
        draft.unlink(missing_ok=True)
