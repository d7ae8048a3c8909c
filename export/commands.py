"""The `export` folder's commands."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer


class PrecisionChoice(str, Enum):
    """What a graph computes in."""

    fp32 = "fp32"
    fp16 = "fp16"


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the command line."""
    app.command("export")(export)


def export(
    checkpoint: Path = typer.Argument(..., help="The best.ckpt of a training run."),
    out: Path = typer.Option(..., "--out", "-o", help="The bundle to write: a folder NAME.hemo."),
    solver: list[str] = typer.Option(
        [], "--solver", help="METHOD:STEPS for every ODE block: euler, midpoint, heun or rk4. Repeat for a ladder."
    ),
    default: str = typer.Option("", "--default", help="The --solver a device uses unasked. [default: the first]"),
    precision: list[PrecisionChoice] = typer.Option(["fp32"], "--precision", help="Repeat for both."),
    data: Path = typer.Option(..., "--data", help="dataset.toml of the pictures to verify on."),
    root: Path = typer.Option(..., "--root", help="The folder that dataset.toml describes."),
    images: int = typer.Option(12, "--images", min=2, help="Pictures to verify on, evenly spread over the data set."),
    least_agreement: float = typer.Option(
        0.99, "--least-agreement", min=0, max=1, help="Share of each mask that must equal the adaptive solver's."
    ),
    count_difference: int = typer.Option(
        2, "--count-difference", min=0, help="Cells per picture by which counts may differ from the adaptive solver's."
    ),
    accuracy: Path = typer.Option(None, "--accuracy", help="Markdown with measured accuracy, for the bundle's card."),
) -> None:
    """Write a trained model as a bundle: one ONNX graph per solver and precision, each verified on real pictures.

    Example: hemonode export runs/first_light/best.ckpt -o first_light.hemo --solver rk4:1 --solver midpoint:1
    --precision fp32 --precision fp16 --data train/recipes/datasets/bccd.toml --root ../shared/data/bccd
    """
    from hemonode.export.run import Request, run_export

    run_export(
        Request(
            checkpoint=checkpoint,
            out=out,
            solvers=tuple(solver),
            default_solver=default or None,
            precisions=tuple(choice.value for choice in dict.fromkeys(precision)),
            data=data,
            root=root,
            images=images,
            least_agreement=least_agreement,
            count_difference=count_difference,
            accuracy=accuracy,
        )
    )
