"""The `runtime` folder's commands."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer

from hemonode.runtime.engines import ENGINES

# What runs the model; auto takes the best that works and says which.
EngineChoice = Enum("EngineChoice", {name: name for name in ("auto", *ENGINES)}, type=str)  # type: ignore[misc]


class PrecisionChoice(str, Enum):
    """What it computes in; auto is the fastest that gives the masks of fp32."""

    auto = "auto"
    fp32 = "fp32"
    fp16 = "fp16"
    bf16 = "bf16"
    int8 = "int8"


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the command line."""
    from hemonode.runtime.doctor import commands as doctor_commands
    from hemonode.runtime.live import commands as live_commands
    from hemonode.runtime.plans import commands as plan_commands
    from hemonode.runtime.record import commands as record_commands

    app.command("run")(run)
    live_commands.register(app)
    plan_commands.register(app)
    record_commands.register(app)
    doctor_commands.register(app)


def run(
    source: str = typer.Argument(..., help="A picture, a folder, a quoted glob or a video."),
    out: Path = typer.Option(..., "--out", "-o", help="Folder for the results."),
    bundle: Path = typer.Option(None, "--bundle", help="A .hemo folder or zip.", show_default="the shipped one"),
    engine: EngineChoice = typer.Option("auto", "--engine", help="What runs the model."),
    setting: str = typer.Option(None, "--setting", help="Solver setting.", show_default="the bundle's own"),
    precision: PrecisionChoice = typer.Option("auto", "--precision", help="What it computes in."),
    red_cell_px: float = typer.Option(
        None, "--red-cell-px", min=1, max=10_000, help="Red-cell diameter in the pictures, pixels."
    ),
    um_per_px: float = typer.Option(None, "--um-per-px", min=0.001, max=100, help="Or micrometres per pixel."),
    threads: int = typer.Option(None, "--threads", min=1, help="CPU threads.", show_default="the engine's choice"),
    every: int = typer.Option(1, "--every", min=1, help="Of a video, every n-th frame."),
    overlays: bool = typer.Option(True, "--overlays/--no-overlays", help="Draw overlays and the page of thumbnails."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace earlier results in the folder."),
    as_json: bool = typer.Option(False, "--json", help="Print the summary as JSON on standard output."),
) -> None:
    """Segment and count: a picture, a folder, a glob or a video.

    Writes counts.csv, cells.csv, masks, overlays, summary.json and index.html.

    Without a scale the red-cell diameter is measured in each picture.

    Example: hemonode run smears/ -o results --red-cell-px 90
    """
    from hemonode.runtime.batch.run import Request, run_batch

    if red_cell_px is not None and um_per_px is not None:
        raise typer.BadParameter("give either --red-cell-px or --um-per-px", param_hint="--um-per-px")
    run_batch(
        Request(
            source=source,
            out=out,
            bundle=bundle,
            engine=engine.value,
            setting=setting,
            precision=precision.value,
            red_cell_px=red_cell_px,
            um_per_px=um_per_px,
            threads=threads,
            every=every,
            overlays=overlays,
            overwrite=overwrite,
            as_json=as_json,
        )
    )
