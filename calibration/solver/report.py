"""The calibration as a Markdown report: what was chosen, what it costs, and what proves it."""

from __future__ import annotations

from collections.abc import Sequence

from hemonode.export.search.candidates import is_uniform
from hemonode.export.solver_file import BlockChoice, Rung, SolverFile
from hemonode.export.solver_record import CalibrationRecord, OutputChange

PICTURE = "pareto.png"


def markdown(file: SolverFile) -> str:
    """The report on a solver file that a calibration wrote."""
    assert file.calibration is not None
    record = file.calibration
    parts = [
        "# Solver calibration",
        f"{file.model}, checkpoint `{(file.checkpoint_sha256 or '')[:12]}`, hemonode {record.hemonode_version}.",
        *(f"> Warning: {warning}" for warning in record.warnings),
        "## Chosen",
        _ladder(file.rungs, record),
        *(_rung(rung) for rung in file.rungs),
        "## All candidates",
        f"![Error over evaluations]({PICTURE})",
        "Each point is a method in some number of steps, its colour the method's order. It was measured up to the "
        "first picture that rules it out, those that keep a tolerance on all pictures. Stars: adaptive dopri5, given "
        "the rungs' tolerances.",
        "## How it was measured",
        _method(record),
    ]
    return "\n\n".join(parts) + "\n"


def solver_words(block: BlockChoice) -> str:
    """Method and steps of a block, as a person would write them."""
    steps = len(block.grid) - 1
    if is_uniform(block.grid):
        return f"{block.method}×{steps}"
    return f"{block.method} at {', '.join(f'{time:.3g}' for time in block.grid)}"


def _ladder(rungs: Sequence[Rung], record: CalibrationRecord) -> str:
    held_out = "–" if record.held_out is None else f"{record.held_out.images} held-out pictures"
    rows = [
        "| rung | evaluations | adaptive dopri5 | cost | mask changed, worst picture | counts changed "
        f"| {held_out}: mask | counts | largest error | keeps |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for rung in rungs:
        evaluations = sum(block.evaluations or 0 for block in rung.blocks)
        adaptive = sum(block.adaptive_evaluations or 0 for block in rung.blocks)
        cost = sum(block.cost or 0 for block in rung.blocks)
        cells = [rung.name, f"{evaluations}", f"{adaptive:.1f}", f"{cost:.5g}", *_change(rung.change)]
        if rung.held_out is None:
            cells += ["–"] * 4
        else:
            errors = (*rung.held_out.errors.values(), *rung.held_out.tile_errors.values())
            cells += [*_change(rung.held_out.change), f"{max(errors):.1e}", "yes" if rung.held_out.keeps else "**no**"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, "", f"Cost in {record.cost_unit}, over the ODE blocks."])


def _change(change: OutputChange | None) -> list[str]:
    return ["–", "–"] if change is None else [f"{change.mask:.4%}", f"{change.counts:.3%}"]


def _rung(rung: Rung) -> str:
    rows = [
        f"### {rung.name}",
        "",
        "| block | solver | evaluations | error, whole picture | error, worst tile | worst picture "
        "| adaptive dopri5: evaluations | its error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {block.position} | {solver_words(block)} | {block.evaluations} | {block.error:.2e} "
        f"| {block.tile_error:.2e} | {block.worst_image} | {block.adaptive_evaluations:.1f} "
        f"| {block.adaptive_error:.2e} |"
        for block in rung.blocks
    ]
    if rung.limit_mask is not None and rung.limit_counts is not None:
        rows += ["", f"Allowed: {rung.limit_mask:.3%} of a picture's mask, {rung.limit_counts:.2%} of the counts."]
    for repair in rung.repairs:
        rows += [
            "",
            f"Repaired: together the blocks changed {repair.change.mask:.3%} of the mask on "
            f"{repair.change.worst_image} and {repair.change.counts:.2%} of the counts, so block "
            f"{repair.position} went from {repair.before} to {repair.after}.",
        ]
    return "\n".join(rows)


def _method(record: CalibrationRecord) -> str:
    references = ", ".join(
        f"block {position} dopri5 at {tolerance:.0e}, own error {record.reference_errors[position]:.1e}"
        for position, tolerance in record.reference_tolerances.items()
    )
    halves = ", ".join(f"block {position} {error:.1e}" for position, error in record.fp16_errors.items())
    lines = [
        f"Chosen on {record.images} pictures of {', '.join(record.data)}, split {record.split}, seed {record.seed}.",
        "Error: distance from the reference solution over the distance that the reference moves, the larger of the "
        "whole picture's and the worst 32 px tile's; the worst of all pictures counts.",
        f"References: {references}.",
        f"Methods: {', '.join(record.methods)}; at most {record.budget} evaluations in a pass of a block.",
        f"FP16 inside f alone makes these errors, below which no FP16 graph can hold a tolerance: {halves}.",
    ]
    if record.held_out is not None:
        held_out = record.held_out
        lines.append(
            f"Confirmed on {held_out.images} pictures of {', '.join(held_out.data)}, split {held_out.split}, "
            "of other groups."
        )
    return "\n".join(f"- {line}" for line in lines)
