"""Latency against accuracy as a picture: one colour for each engine, one mark for each setting, the Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from hemonode.benchmarks.bench.contestant import ADAPTIVE, BASELINE, SOLVED_ADAPTIVELY
from hemonode.benchmarks.bench.figures import Line
from hemonode.benchmarks.bench.pareto import pareto_front
from hemonode.benchmarks.bench.result import Benchmark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito 2008: told apart by colour-blind readers.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
MARKS = "osD^vP<>hX"
STARS = {ADAPTIVE: "#000000", BASELINE: "#7f7f7f"}


@dataclass(frozen=True)
class Panel:
    """One accuracy over latency; `merit` is better when larger, `shown` is what the axis says."""

    title: str
    merit: Callable[[Line], float | None]
    shown: Callable[[float], float]
    logarithmic: bool = False


PANELS = (
    Panel("MIoU against the labels", lambda line: line.quality.miou, lambda merit: merit),
    Panel("accuracy of counts against the labels", lambda line: line.quality.count_accuracy, lambda merit: merit),
    Panel(
        "mask pixels that differ from torch adaptive, %",
        lambda line: None if line.quality.agreement is None else line.quality.agreement.mask,
        lambda merit: 100 * (1 - merit),
        logarithmic=True,
    ),
)


def draw(benchmark: Benchmark, path: Path) -> bool:
    """Draw the lines of the smallest batch as a PNG.

    Returns:
        Whether there was anything to draw.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    smallest = min((line.batch for line in benchmark.lines), default=1)
    lines = [line for line in benchmark.lines if line.batch == smallest]
    panels = [panel for panel in PANELS if any(panel.merit(line) is not None for line in lines)]
    if not panels:
        return False
    figure = Figure(figsize=(5.6 * len(panels), 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False)[0], strict=True):
        _draw_panel(axes, panel, [line for line in lines if panel.merit(line) is not None])
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    width, height = benchmark.subject.frame_px
    figure.suptitle(
        f"{benchmark.subject.bundle}: frames of {width}×{height} px, batch {smallest}, "
        f"{benchmark.circumstances.threads} threads, {benchmark.circumstances.processor}",
        fontsize=10,
    )
    figure.savefig(path, dpi=130)
    return True


def _draw_panel(axes: Axes, panel: Panel, lines: Sequence[Line]) -> None:
    points = [(line.frame_ms, panel.merit(line) or 0.0) for line in lines]
    front = pareto_front([ms for ms, _ in points], [merit for _, merit in points])
    axes.plot(
        [points[index][0] for index in front],
        [panel.shown(points[index][1]) for index in front],
        color="#444444",
        linewidth=1,
        zorder=1,
        label="Pareto front",
    )
    _draw_points(axes, panel, lines)
    axes.set_xscale("log")
    if panel.logarithmic:
        values = [panel.shown(merit) for _, merit in points]
        # Zero, where nothing differs, has a place on this axis.
        axes.set_yscale("symlog", linthresh=min((value for value in values if value > 0), default=1.0))
        axes.set_ylim(bottom=0)
        axes.invert_yaxis()
    axes.set_xlabel("median ms per frame (left is better)")
    axes.set_ylabel(f"{panel.title} (up is better)")
    axes.grid(alpha=0.3)


def _draw_points(axes: Axes, panel: Panel, lines: Sequence[Line]) -> None:
    labels = dict.fromkeys(line.contestant.label for line in lines if line.contestant.engine not in SOLVED_ADAPTIVELY)
    colours = dict(zip(labels, cycle(COLOURS), strict=False))
    settings = dict.fromkeys(line.contestant.setting for line in lines if line.contestant.setting is not None)
    marks = dict(zip(settings, cycle(MARKS), strict=False))
    for name, mark in marks.items():
        axes.scatter([], [], marker=mark, color="none", edgecolors="#444444", label=name)
    for label, colour in colours.items():
        axes.scatter([], [], marker="s", color=colour, label=label)
    for line in lines:
        place = (line.frame_ms, panel.shown(panel.merit(line) or 0.0))
        contestant = line.contestant
        if contestant.setting is None:
            axes.scatter(*place, marker="*", s=220, color=STARS[contestant.engine], zorder=3, label=contestant.engine)
            continue
        mark, colour = marks[contestant.setting], colours[contestant.label]
        axes.scatter(*place, s=52, marker=mark, color=colour, edgecolors="white", linewidths=0.6, zorder=2)
