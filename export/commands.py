"""The `export` folder's commands."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer


class PrecisionChoice(str, Enum):
    """What a graph computes in."""

    fp32 = "fp32"
    fp16 = "fp16"
    int8 = "int8"


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the command line."""
    app.command("export")(export)


def export(
    checkpoint: Path = typer.Argument(..., help="The best.ckpt of a training run."),
    out: Path = typer.Option(..., "--out", "-o", help="The bundle to write: a folder NAME.hemo."),
    tolerance: list[float] = typer.Option(
        [], "--tolerance", help="Find the cheapest solver of each block that keeps it. Repeat for a ladder."
    ),
    solver: list[str] = typer.Option(
        [],
        "--solver",
        help="A method, or a tableau's TOML file, for every ODE block; METHOD:STEPS does without --steps.",
    ),
    steps: list[int] = typer.Option([], "--steps", min=1, help="Of each --solver, in their order."),
    solver_file: Path = typer.Option(None, "--solver-file", help="The solver.json that calibrate solver wrote."),
    estimate_error: bool = typer.Option(False, "--estimate-error", help="Let graphs return each block's local error."),
    default: str = typer.Option(
        None,
        "--default",
        help="The setting a device uses unasked: METHOD:STEPS, a tolerance or a name. [default: the first]",
    ),
    precision: list[PrecisionChoice] = typer.Option(
        ["fp32"], "--precision", help="Repeat for more; int8 brings fp32 along, which machines check it against."
    ),
    data: str = typer.Option(
        ..., "--data", help="Pictures to measure on: a folder with dataset.toml, that file, or a shipped one's name."
    ),
    root: Path = typer.Option(None, "--root", help="The folder that dataset.toml describes. [default: its own]"),
    images: int = typer.Option(12, "--images", min=2, help="Pictures to verify on, evenly spread over the data set."),
    search_images: int = typer.Option(100, "--search-images", min=1, help="Pictures to search solvers on, likewise."),
    least_agreement: float = typer.Option(
        0.99, "--least-agreement", min=0, max=1, help="Share of each mask that must equal the adaptive solver's."
    ),
    fp16_agreement: float = typer.Option(
        0.999,
        "--fp16-agreement",
        min=0,
        max=1,
        help="Share of each mask that fp16 keeps, else parts of it stay in FP32.",
    ),
    int8_agreement: float = typer.Option(
        0.999, "--int8-agreement", min=0, max=1, help="The same of int8; a setting that is no faster then is left out."
    ),
    calibration_images: int = typer.Option(
        24, "--calibration-images", min=1, help="Pictures of the train split on which int8 sees how large values are."
    ),
    count_difference: int = typer.Option(
        2, "--count-difference", min=0, help="Cells per picture by which counts may differ from the adaptive solver's."
    ),
    accuracy: Path = typer.Option(None, "--accuracy", help="Markdown with measured accuracy, for the bundle's card."),
) -> None:
    """Write a trained model as a bundle: one ONNX graph per solver and precision, each verified on real pictures.

    Name the solvers by --tolerance, by --solver and --steps, or by --solver-file.

    Example: hemonode export runs/first_light/best.ckpt -o first_light.hemo --tolerance 1e-2 --tolerance 1e-3
    --precision fp32 --precision fp16 --data bccd --root ../shared/data/bccd

    Example: hemonode export runs/first_light/best.ckpt -o rk4.hemo --solver rk4 --steps 1 --solver rk4 --steps 2
    --data bccd --root ../shared/data/bccd
    """
    from hemonode.export.choice import Choice
    from hemonode.export.findings import Limits
    from hemonode.export.run import Request, run_export

    run_export(
        Request(
            checkpoint=checkpoint,
            out=out,
            choice=Choice(
                solvers=tuple(solver),
                steps=tuple(steps),
                solver_file=solver_file,
                tolerances=tuple(tolerance),
                estimate=estimate_error,
                default=default,
            ),
            precisions=tuple(choice.value for choice in dict.fromkeys(precision)),
            data=data,
            root=root,
            images=images,
            search_images=search_images,
            calibration_images=calibration_images,
            limits=Limits(
                agreement_unrolled_onnx={
                    **Limits().agreement_unrolled_onnx,
                    "fp16": fp16_agreement,
                    "int8": int8_agreement,
                },
                agreement_adaptive_onnx=least_agreement,
                count_difference=count_difference,
            ),
            accuracy=accuracy,
        )
    )
