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
from hemonode.train.metrics.interval import Estimate
from hemonode.train.metrics.result import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Okabe and Ito 2008: told apart by colour-blind readers.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
MARKS = "osD^vP<>hX"
STARS = {ADAPTIVE: "#000000", BASELINE: "#7f7f7f"}


@dataclass(frozen=True)
class Panel:
    """One accuracy over latency; `merit` is better when larger, `shown` is what the axis says.

    `estimate` finds the same figure with its interval in an evaluation, to show how little pictures can tell apart.
    """

    title: str
    merit: Callable[[Line], float | None]
    shown: Callable[[float], float] = float
    logarithmic: bool = False
    estimate: Callable[[Evaluation], Estimate | None] = lambda _: None


PANELS = (
    Panel(
        "MIoU against the labels",
        lambda line: line.quality.miou,
        estimate=lambda evaluation: None if evaluation.segmentation is None else evaluation.segmentation.miou,
    ),
    Panel("accuracy of counts against the labels", lambda line: line.quality.count_accuracy),
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
    for panel, axes in zip(panels, figure.subplots(1, len(panels), squeeze=False, sharex=True)[0], strict=True):
        _draw_panel(axes, panel, [line for line in lines if panel.merit(line) is not None])
        axes.set_title(_interval(panel, benchmark), fontsize=9)
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
    _plain_ticks(axes.xaxis)
    if panel.logarithmic:
        values = [panel.shown(merit) for _, merit in points]
        # Zero, where nothing differs, has a place on this axis.
        smallest = min((value for value in values if value > 0), default=1.0)
        axes.set_yscale("symlog", linthresh=smallest)
        axes.set_ylim(1.6 * max(*values, smallest), -0.4 * smallest)
        _plain_ticks(axes.yaxis)
    axes.set_xlabel("median ms per frame (left is better)")
    axes.set_ylabel(f"{panel.title} (up is better)")
    axes.grid(alpha=0.3)


def _plain_ticks(axis: Axis) -> None:
    """Numbers as people write them, not powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, SymmetricalLogLocator

    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(SymmetricalLogLocator(transform=axis.get_transform(), subs=[1, 2, 5]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _interval(panel: Panel, benchmark: Benchmark) -> str:
    """The widest interval of the panel's figure over the pictures, in words; empty where there is none."""
    found = [panel.estimate(one) for judgement in benchmark.judgements for one in judgement.evaluations]
    known = [(each.low, each.high) for each in found if each is not None and each.low is not None]
    widths = [(high - low, low, high) for low, high in known if low is not None and high is not None]
    if not widths:
        return ""
    _, low, high = max(widths)
    return f"95 % interval over {benchmark.subject.pictures} pictures: {low:.3f} to {high:.3f}"


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
