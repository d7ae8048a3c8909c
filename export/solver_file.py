"""`solver.json`: the solver settings that a calibration chose for one checkpoint, with what it measured."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field, ValidationError
from torch import nn

from hemonode.errors import ExportError, OutputError
from hemonode.export.settings import Setting
from hemonode.export.solver_record import CalibrationRecord, Confirmation, OutputChange, Record, Repair
from hemonode.export.tableau import TABLEAUS, Tableau
from hemonode.export.tableau_file import TableauFields
from hemonode.export.unroll import Unrolled
from hemonode.runtime.atomic import write_atomically
from hemonode.runtime.bundle.files import hash_file
from hemonode.train.models.table import ode_blocks

SCHEMA_VERSION = 1


class TableauRecord(TableauFields):
    """A tableau of the user's own, written out, so that the file needs no other."""

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


class BlockChoice(Record):
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
    worst_image: str | None = None
    """Where the error over a tile is largest."""
    cost: float | None = Field(default=None, ge=0)
    """In the unit of `CalibrationRecord.cost_unit`."""
    adaptive_evaluations: float | None = Field(default=None, gt=0)
    """Mean of dopri5 at the rung's tolerance over some of the images."""
    adaptive_error: float | None = Field(default=None, ge=0)
    """Its own largest error there, over a whole image or a tile."""
    tableau: TableauRecord | None = None

    def solver(self, *, estimate: bool) -> Unrolled:
        """The unrolled solver.

        Raises:
            ExportError: an unknown method, an inconsistent tableau, or a grid that does not rise from 0 to 1.
        """
        try:
            tableau = TABLEAUS[self.method] if self.tableau is None else self.tableau.tableau(self.method)
        except KeyError:
            raise ExportError(
                f"ODE block {self.position}: method '{self.method}' is unknown: write its coefficients as 'tableau', "
                f"or use one of {', '.join(TABLEAUS)}"
            ) from None
        return Unrolled(tableau, self.grid, estimate=estimate)


class Rung(Record):
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
    change: OutputChange | None = None
    """The same in full, on the calibration images."""
    limit_mask: float | None = Field(default=None, ge=0)
    """The most that `changed_mask` was allowed to be."""
    limit_counts: float | None = Field(default=None, ge=0)
    """The most that `changed_counts` was allowed to be."""
    repairs: tuple[Repair, ...] = ()
    held_out: Confirmation | None = None

    def setting(self, *, estimate: bool = False) -> Setting:
        """The setting to export, estimating errors where the rung or the caller says so.

        Raises:
            ExportError: a block's solver is not usable.
        """
        solvers = {block.position: block.solver(estimate=self.estimate or estimate) for block in self.blocks}
        return Setting(self.name, solvers, self.tolerance)


class SolverFile(Record):
    """The whole `solver.json`."""

    schema_version: int = SCHEMA_VERSION
    checkpoint_sha256: str | None = None
    """The checkpoint that was measured; None in a file written by hand, which fits any with the same ODE blocks."""
    model: str
    """Architecture of the network."""
    rungs: tuple[Rung, ...] = Field(min_length=1)
    """From cheap to exact."""
    calibration: CalibrationRecord | None = None

    def settings(self, model: nn.Module, *, estimate: bool = False) -> tuple[Setting, ...]:
        """The settings of every rung, in the file's order; `estimate` adds error estimates to all of them.

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
        return tuple(rung.setting(estimate=estimate) for rung in self.rungs)


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


def read_matching_file(path: Path, checkpoint: Path) -> SolverFile:
    """Read a solver file that is to be used with a checkpoint.

    Raises:
        ExportError: it cannot be read, or was calibrated on another checkpoint.
    """
    file = read_solver_file(path)
    if file.checkpoint_sha256 not in (None, hash_file(checkpoint)):
        raise ExportError(
            f"{path} was calibrated on another checkpoint than {checkpoint}: "
            "calibrate this one, or give the checkpoint that was measured"
        )
    return file


def write_solver_file(path: Path, file: SolverFile) -> None:
    """Write a solver file, whole or not at all.

    Raises:
        OutputError: it cannot be written there.
    """
    try:
        write_atomically(path, (file.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error}): make room or choose another place") from error
