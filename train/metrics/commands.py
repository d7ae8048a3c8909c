"""The `evaluate` command."""

from __future__ import annotations

from pathlib import Path

import typer

from hemonode.runtime.commands import EngineChoice, PrecisionChoice


def register(app: typer.Typer) -> None:
    """Add `evaluate` to the command line."""
    app.command("evaluate")(evaluate)


def evaluate(
    bundle: Path = typer.Argument(None, help="A .hemo folder or zip. [default: the shipped model]"),
    data: list[str] = typer.Option(..., "--data", help="A dataset.toml, or a shipped one's name. Repeatable."),
    root: list[Path] = typer.Option([], "--root", help="The data set's folder, one for each --data."),
    split: str = typer.Option("val", "--split", help="Which of its pictures."),
    engine: EngineChoice = typer.Option("auto", "--engine", help="What runs the model."),
    setting: str = typer.Option(None, "--setting", help="Solver setting of the bundle. [default: the bundle's]"),
    precision: PrecisionChoice = typer.Option("auto", "--precision", help="What it computes in."),
    red_cell_px: float = typer.Option(
        None, "--red-cell-px", min=1, help="Red-cell diameter, pixels. [default: the labels']"
    ),
    estimate_scale: bool = typer.Option(False, "--estimate-scale", help="Measure it in each picture instead."),
    threads: int = typer.Option(None, "--threads", min=1, help="CPU threads. [default: the engine's]"),
    floor: bool = typer.Option(False, "--floor", help="Show the classical floor beside the model."),
    as_json: bool = typer.Option(False, "--json", help="Print the figures as JSON."),
    out: Path = typer.Option(None, "--out", "-o", help="Folder for evaluation.json and evaluation.md."),
) -> None:
    """Compare a model's masks, cells and counts with labelled pictures.

    Accuracy, IoU and Dice of the masks; precision, recall and F1 of the cells; accuracy per picture, error and bias
    of the counts; each with its 95 % interval.

    Example: hemonode evaluate --data bccd --root ../shared/data/bccd --floor -o evaluation
    """
    from hemonode.train.metrics.run import Request, run_evaluation

    if root and len(root) != len(data):
        raise typer.BadParameter("give one --root for each --data, or none", param_hint="--root")
    if estimate_scale and red_cell_px is not None:
        raise typer.BadParameter("give either --red-cell-px or --estimate-scale", param_hint="--estimate-scale")
    run_evaluation(
        Request(
            bundle=bundle,
            data=tuple(data),
            roots=tuple(root),
            split=split,
            engine=engine.value,
            setting=setting,
            precision=precision.value,
            red_cell_px=red_cell_px,
            estimate_scale=estimate_scale,
            threads=threads,
            floor=floor,
            as_json=as_json,
            out=out,
        )
    )
