"""What a calibration leaves behind: solver.json, the report and the picture, and a summary on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hemonode import __version__
from hemonode.calibration.solver.picture import draw_pareto
from hemonode.calibration.solver.pictures import Draw
from hemonode.calibration.solver.report import PICTURE, markdown, solver_words
from hemonode.calibration.solver.request import Request
from hemonode.errors import OutputError
from hemonode.export.search.search import Found
from hemonode.export.solver_file import Rung, SolverFile, write_solver_file
from hemonode.export.solver_record import CalibrationRecord, HeldOutRecord

SOLVER_FILE = "solver.json"
REPORT = "report.md"
ENOUGH = 100
"""Pictures whose worst stands for a tolerance."""


def solver_file(
    request: Request,
    checkpoint_sha256: str,
    architecture: str,
    found: Found,
    rungs: Sequence[Rung],
    chosen_on: Draw,
    confirmed_on: Draw,
) -> SolverFile:
    """The record of a calibration."""
    question = request.question()
    return SolverFile(
        checkpoint_sha256=checkpoint_sha256,
        model=architecture,
        rungs=tuple(rungs),
        calibration=CalibrationRecord(
            hemonode_version=__version__,
            data=chosen_on.names,
            images=len(chosen_on.picked),
            seed=request.seed,
            split=chosen_on.split,
            budget=question.budget,
            methods=tuple(tableau.name for tableau in question.tableaus),
            cost_unit=found.cost.unit,
            reference_tolerances=found.references.tolerances,
            reference_errors=found.references.own_errors,
            fp16_errors=dict(found.half_errors),
            held_out=HeldOutRecord(data=confirmed_on.names, split=confirmed_on.split, images=len(confirmed_on.picked)),
            warnings=tuple(_warnings(rungs, len(chosen_on.picked), found.half_errors)),
        ),
    )


def write_results(out: Path, file: SolverFile, found: Found) -> None:
    """Write solver.json last, so that it never lies there without its report.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        (out / REPORT).write_text(markdown(file), encoding="utf-8")
        draw_pareto(found.tried, file.rungs, out / PICTURE)
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error}): make room or choose another place") from error
    write_solver_file(out / SOLVER_FILE, file)


def summary(file: SolverFile) -> Table:
    """The rungs for a terminal."""
    table = Table(title="Cheapest solvers that keep the tolerances", title_justify="left")
    for column in ("rung", "solvers by block", "NFE", "dopri5's", "mask changed", "counts changed", "held out"):
        table.add_column(column, no_wrap=column == "solvers by block")
    for rung in file.rungs:
        assert rung.change is not None
        table.add_row(
            rung.name,
            "\n".join(f"{block.position}: {solver_words(block)}" for block in rung.blocks),
            f"{sum(block.evaluations or 0 for block in rung.blocks)}",
            f"{sum(block.adaptive_evaluations or 0 for block in rung.blocks):.0f}",
            f"{rung.change.mask:.4%}",
            f"{rung.change.counts:.3%}",
            "–" if rung.held_out is None else "keeps" if rung.held_out.keeps else "does not keep",
        )
    return table


def say_warnings(file: SolverFile, say: Console) -> None:
    """Print what must not be overlooked."""
    assert file.calibration is not None
    for warning in file.calibration.warnings:
        say.print(f"Warning: {warning}", highlight=False, markup=False)


def _warnings(rungs: Sequence[Rung], images: int, half_errors: Mapping[int, float]) -> list[str]:
    warnings = []
    if images < ENOUGH:
        warnings.append(
            f"chosen on {images} pictures only; the worst of at least {ENOUGH} is what a tolerance stands for."
        )
    worst = max(half_errors, key=lambda position: half_errors[position])
    for rung in rungs:
        assert rung.tolerance is not None
        if rung.held_out is not None and not rung.held_out.keeps:
            errors = {**rung.held_out.errors}
            for position, error in rung.held_out.tile_errors.items():
                errors[position] = max(errors[position], error)
            block = max(errors, key=lambda position: errors[position])
            warnings.append(
                f"{rung.name} does not keep its tolerance on the held-out pictures (error {errors[block]:.1e} in block "
                f"{block}, {rung.held_out.change.mask:.3%} of a mask and {rung.held_out.change.counts:.2%} of the "
                "counts changed): choose on more pictures, or on more like those."
            )
        if rung.tolerance < half_errors[worst]:
            warnings.append(
                f"{rung.name} is tighter than FP16 can hold ({half_errors[worst]:.1e} in block {worst}): "
                "export it in fp32."
            )
    return warnings
