"""Evaluations side by side, one column per method: on the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from hemonode.train.metrics.counting import CountingResult
from hemonode.train.metrics.detection import DetectionResult
from hemonode.train.metrics.interval import Estimate
from hemonode.train.metrics.result import Evaluation
from hemonode.train.metrics.segmentation import ClassSegmentation

RESEARCH_USE = "hemonode is for research use; it is not a diagnostic device."


@dataclass(frozen=True)
class Line:
    """One figure of every method. `n` says how much it is taken from; `heads` starts a new part of the table."""

    figure: str
    n: str
    values: tuple[str, ...]
    heads: bool = False


def table_lines(evaluations: Sequence[Evaluation]) -> list[Line]:
    """The table's lines for evaluations of one split by several methods."""
    return [*_pixel_lines(evaluations), *_cell_lines(evaluations), *_count_lines(evaluations)]


def notes(evaluation: Evaluation) -> list[str]:
    """What a reader must know to take the figures right."""
    sentences = ["In brackets: 95 % interval, bootstrap over pictures."]
    if evaluation.segmentation is not None:
        sentences.append("Pixels: of the confusion matrix summed over pictures; pixels without a label do not count.")
        if evaluation.segmentation.as_background:
            hidden = ", ".join(evaluation.class_names[index] for index in evaluation.segmentation.as_background)
            sentences.append(f"The masks never show {hidden}: pixels predicted so count as background.")
    if evaluation.detection:
        sentences.append(
            "Cells: one-to-one pairs of centres within half the true cell's diameter, √(width·height) / 2; pooled."
        )
        sentences.append(
            "Counts: mean over pictures of 1 − |predicted − true| / true; error and bias in cells per picture; "
            "frame: the counting frame's cells (left and top edges in, right and bottom out)."
        )
    return sentences


def scale_words(evaluation: Evaluation) -> str:
    """How large the method took red cells to be."""
    return f"{evaluation.method}: red-cell diameter {evaluation.scale_ratio:.2f} of the labels' (median)"


def rich_table(evaluations: Sequence[Evaluation]) -> Table:
    """The table for a terminal."""
    first = evaluations[0]
    table = Table(title=f"{first.dataset}, {first.split}: {first.pictures} pictures", title_justify="left")
    table.add_column("figure", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for evaluation in evaluations:
        table.add_column(evaluation.method)
    for line in table_lines(evaluations):
        if line.heads and table.row_count:
            table.add_section()
        table.add_row(line.figure, line.n, *line.values, style="bold" if line.heads else None)
    return table


def markdown(evaluations: Sequence[Evaluation]) -> str:
    """The table and its notes as a Markdown section."""
    first = evaluations[0]
    rows = [("figure", "n", *(evaluation.method for evaluation in evaluations))]
    rows.append(("---", "---:", *("---" for _ in evaluations)))
    rows += [
        (f"**{line.figure}**" if line.heads else line.figure, line.n, *line.values) for line in table_lines(evaluations)
    ]
    parts = [f"## {first.dataset}, {first.split}: {first.pictures} pictures", ""]
    parts += ["| " + " | ".join(row) + " |" for row in rows]
    parts += ["", *(f"- {sentence}" for sentence in notes(first))]
    for evaluation in evaluations:
        parts.append(f"- {scale_words(evaluation)}. " + "; ".join(f"{k}: {v}" for k, v in evaluation.details.items()))
    return "\n".join(parts) + "\n"


def _pixel_lines(evaluations: Sequence[Evaluation]) -> list[Line]:
    results = [evaluation.segmentation for evaluation in evaluations if evaluation.segmentation is not None]
    if not results:
        return []
    names = evaluations[0].class_names
    first = results[0]
    shown = ", ".join(names[entry.class_id] for entry in first.classes)
    blank = ("",) * len(results)
    lines = [
        Line(f"Pixels: {shown}", f"{first.pictures} pictures", blank, heads=True),
        Line("pixel accuracy (PA)", f"{first.pixels:,}", tuple(_share(result.pixel_accuracy) for result in results)),
        Line("MIoU", f"{len(first.classes)} classes", tuple(_share(result.miou) for result in results)),
    ]
    figures: tuple[tuple[str, Callable[[ClassSegmentation], Estimate]], ...] = (
        ("accuracy (CPA)", lambda entry: entry.accuracy),
        ("IoU", lambda entry: entry.iou),
        ("Dice", lambda entry: entry.dice),
    )
    for index, entry in enumerate(first.classes):
        for name, figure in figures:
            values = tuple(_share(figure(result.classes[index])) for result in results)
            lines.append(Line(f"{names[entry.class_id]} {name}", f"{entry.pixels:,}", values))
    return lines


def _cell_lines(evaluations: Sequence[Evaluation]) -> list[Line]:
    names = evaluations[0].class_names
    figures: tuple[tuple[str, Callable[[DetectionResult], Estimate]], ...] = (
        ("F1", lambda entry: entry.f1),
        ("precision", lambda entry: entry.precision),
        ("recall", lambda entry: entry.recall),
    )
    lines: list[Line] = []
    for index, entry in enumerate(evaluations[0].detection):
        if not lines:
            lines.append(Line("Cells", f"{entry.pictures} pictures", ("",) * len(evaluations), heads=True))
        for name, figure in figures:
            values = tuple(_share(figure(evaluation.detection[index])) for evaluation in evaluations)
            lines.append(Line(f"{names[entry.class_id]} {name}", f"{entry.true} cells", values))
    return lines


def _count_lines(evaluations: Sequence[Evaluation]) -> list[Line]:
    names = evaluations[0].class_names
    figures: tuple[tuple[str, Callable[[CountingResult], str]], ...] = (
        ("accuracy", lambda entry: _share(entry.accuracy)),
        ("absolute error", lambda entry: _cells(entry.mean_absolute_error, sign="")),
        ("bias", lambda entry: _cells(entry.bias, sign="+")),
    )
    lines: list[Line] = []
    for index, entry in enumerate(evaluations[0].counting):
        if not lines:
            lines.append(Line("Counts per picture", f"{entry.pictures} pictures", ("",) * len(evaluations), heads=True))
        rule = "" if entry.rule == "visible" else "frame "
        for name, figure in figures:
            pictures = entry.pictures_with_cells if name == "accuracy" else entry.pictures
            values = tuple(figure(evaluation.counting[index]) for evaluation in evaluations)
            lines.append(Line(f"{names[entry.class_id]} {rule}{name}", f"{pictures} pictures", values))
    return lines


def _share(estimate: Estimate) -> str:
    return _bracketed(estimate, ".3f")


def _cells(estimate: Estimate, sign: str) -> str:
    return _bracketed(estimate, f"{sign}.2f")


def _bracketed(estimate: Estimate, form: str) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:{form}}"
    return f"{estimate.value:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"
