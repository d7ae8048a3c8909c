"""Error over evaluations of every candidate, one panel per block, with what was chosen: the Pareto picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from hemonode.export.search.blocks import Measured
from hemonode.export.solver_file import Rung
from hemonode.export.tableau import Tableau

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# By order. Okabe and Ito 2008: told apart by colour-blind readers.
COLOURS = {1: "#7f7f7f", 2: "#e69f00", 3: "#009e73", 4: "#0072b2", 5: "#d55e00"}
HIGHER = "#cc79a7"
MARKS = "os^Dv"


def draw_pareto(tried: Sequence[Measured], rungs: Sequence[Rung], path: Path) -> None:
    """Draw the candidates of every block as a PNG.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    positions = sorted({measured.position for measured in tried})
    figure = Figure(figsize=(5.2 * len(positions), 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(positions), squeeze=False, sharex=True, sharey=True)[0]
    for axes, position in zip(panels, positions, strict=True):
        _draw_block(axes, [measured for measured in tried if measured.position == position], rungs, tried)
        axes.set_title(f"ODE block {position}")
    panels[0].set_ylabel("largest error of any picture or 32 px tile")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=8, fontsize=8, frameon=False)
    figure.savefig(path, dpi=120)


def _draw_block(axes: Axes, own: Sequence[Measured], rungs: Sequence[Rung], tried: Sequence[Measured]) -> None:
    from matplotlib.ticker import MaxNLocator

    for tableau, mark in _marks(tried).items():
        shown = [measured for measured in own if measured.solver.tableau == tableau and math.isfinite(_error(measured))]
        axes.scatter(
            [measured.solver.evaluations for measured in shown],
            [_error(measured) for measured in shown],
            s=26,
            color=COLOURS.get(tableau.order, HIGHER),
            marker=mark,
            alpha=0.8,
            label=tableau.name,
            zorder=2,
        )
    front = _front(own)
    axes.plot(*zip(*front, strict=True), color="#444444", linewidth=1, zorder=1, label="Pareto front")
    for rung in rungs:
        assert rung.tolerance is not None
        block = next(block for block in rung.blocks if block.position == own[0].position)
        assert block.evaluations is not None
        assert block.adaptive_evaluations is not None
        assert block.adaptive_error is not None
        error = max(block.error or 0.0, block.tile_error or 0.0)
        axes.axhline(rung.tolerance, color="#999999", linewidth=0.8, linestyle="--", zorder=0)
        axes.scatter(block.evaluations, error, s=190, facecolors="none", edgecolors="#000000", linewidths=1.6, zorder=3)
        axes.annotate(rung.name, (block.evaluations, error), textcoords="offset points", xytext=(9, 5), fontsize=9)
        star = (block.adaptive_evaluations, block.adaptive_error)
        axes.scatter(*star, s=130, marker="*", color="#000000", zorder=3)
        axes.annotate(f"{rung.tolerance:g}", star, textcoords="offset points", xytext=(7, -3), fontsize=8)
    axes.scatter([], [], s=190, facecolors="none", edgecolors="#000000", linewidths=1.6, label="chosen")
    axes.scatter([], [], s=130, marker="*", color="#000000", label="adaptive dopri5 at these tolerances")
    axes.set_yscale("log")
    axes.set_xlabel("evaluations of f (left is better)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    # Room for what is written beside the stars.
    axes.margins(x=0.12)
    axes.grid(alpha=0.3)


def _marks(tried: Sequence[Measured]) -> dict[Tableau, str]:
    """A mark for each method, different within an order."""
    tableaus = sorted(
        {measured.solver.tableau for measured in tried}, key=lambda tableau: (tableau.order, tableau.name)
    )
    marks: dict[Tableau, str] = {}
    for order in {tableau.order for tableau in tableaus}:
        same = [tableau for tableau in tableaus if tableau.order == order]
        marks.update(zip(same, cycle(MARKS), strict=False))
    return {tableau: marks[tableau] for tableau in tableaus}


def _error(measured: Measured) -> float:
    return max(measured.error)


def _front(own: Sequence[Measured]) -> list[tuple[int, float]]:
    """The candidates than which none with as few evaluations has a smaller error."""
    front: list[tuple[int, float]] = []
    for measured in sorted(own, key=lambda measured: (measured.solver.evaluations, _error(measured))):
        if not front or _error(measured) < front[-1][1]:
            front.append((measured.solver.evaluations, _error(measured)))
    return front
