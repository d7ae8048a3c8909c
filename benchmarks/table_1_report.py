"""The paper's Table 1 and what was measured here, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from hemonode.benchmarks.machine import Machine
from hemonode.benchmarks.paper_table_1 import IMAGES, PAPER, PAPER_MACHINE, SIDE_PX, TOLERANCE
from hemonode.train.metrics.result import Evaluation

CLASS_IDS = {"background": 0, "red_cells": 2, "white_cells": 1}


@dataclass(frozen=True)
class Accuracies:
    """Per cent, as the paper's; None where the labels do not show the class. MIoU is over the labels' own classes."""

    pixel_accuracy: float | None
    background: float | None
    red_cells: float | None
    white_cells: float | None
    miou: float | None


@dataclass(frozen=True)
class Row:
    """One network.

    Attributes:
        seconds: for all pictures, one for each round.
        processor_s: that all threads together spent, the same way; other programs disturb it far less.
        evaluations: of f per picture.
    """

    name: str
    seconds: tuple[float, ...]
    processor_s: tuple[float, ...]
    evaluations: float
    trained: bool
    accuracies: Accuracies | None = None

    @property
    def median_s(self) -> float:
        """Over the rounds."""
        return median(self.seconds)


def accuracies(evaluation: Evaluation) -> Accuracies | None:
    """The paper's figures of an evaluation, None where no picture has a mask."""
    if evaluation.segmentation is None:
        return None
    by_id = {entry.class_id: entry.accuracy.value for entry in evaluation.segmentation.classes}
    return Accuracies(
        pixel_accuracy=_percent(evaluation.segmentation.pixel_accuracy.value),
        miou=_percent(evaluation.segmentation.miou.value),
        **{name: _percent(by_id.get(class_id)) for name, class_id in CLASS_IDS.items()},
    )


def as_json(machine: Machine, threads: int, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything, as JSON types."""
    return {
        "machine": asdict(machine),
        "threads": threads,
        "rows": [{**asdict(row), "median_s": row.median_s, "paper": PAPER[row.name]._asdict()} for row in rows],
    }


def as_markdown(machine: Machine, threads: int, rows: Sequence[Row]) -> str:
    """The table; each figure with the paper's behind it, in brackets."""
    head = ["network", "PA", "background", "red cells", "white cells", "MIoU"]
    head += ["seconds", "times U-Net's", "spread", "CPU-s", "times U-Net's", "NFE", "weights"]
    lines = [
        "# Table 1 of Li et al. 2021, measured here (the paper's figures in brackets)",
        "",
        f"{IMAGES} pictures of {SIDE_PX}×{SIDE_PX} px, one after another, in torch eager with dopri5 at {TOLERANCE:g}; "
        f"median of {len(rows[0].seconds)} rounds in which the networks take turns. CPU-s: all threads together.",
        f"Here: {machine.processor}, threads: {threads} of {machine.cores} cores, load {machine.load} at the start, "
        f"torch {machine.libraries['torch']}. The paper: {PAPER_MACHINE}.",
        "Accuracies in per cent, on this data set's labels; the paper's are on MISP01, so only their order compares.",
        "",
        f"| {' | '.join(head)} |",
        f"| {' | '.join('---' for _ in head)} |",
    ]
    lines += [f"| {' | '.join(_cells(row, rows[0]))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cells(row: Row, first: Row) -> list[str]:
    paper = PAPER[row.name]
    own = row.accuracies or Accuracies(None, None, None, None, None)
    shares = [
        f"{_text(getattr(own, name))} ({getattr(paper, name):.2f})" for name in ("pixel_accuracy", *CLASS_IDS, "miou")
    ]
    ratio, paper_ratio = row.median_s / first.median_s, paper.seconds / PAPER[first.name].seconds
    spread = f"{(max(row.seconds) - min(row.seconds)) / row.median_s:.0%}" if len(row.seconds) > 1 else "–"
    spent, spent_ratio = median(row.processor_s), median(row.processor_s) / median(first.processor_s)
    times = [f"{row.median_s:.2f} ({paper.seconds:.2f})", f"{ratio:.1f} ({paper_ratio:.1f})", spread]
    times += [f"{spent:.2f}", f"{spent_ratio:.1f}"]
    return [row.name, *shares, *times, f"{row.evaluations:.1f}", "trained" if row.trained else "random"]


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
