"""The `train` folder's commands."""

from __future__ import annotations

from pathlib import Path

import typer

from hemonode.train.data import commands as data_commands
from hemonode.train.metrics import commands as metrics_commands


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the command line."""
    app.command("train")(train)
    metrics_commands.register(app)
    data_commands.register(app)


def train(
    recipe: str = typer.Option(..., "--recipe", help="A recipe's TOML file, or the name of a shipped one."),
    data_root: Path = typer.Option(..., "--data-root", help="The folder that holds the recipe's data folders."),
    out: Path = typer.Option(..., "--out", "-o", help="Folder of the run; a run found there goes on."),
    epochs: int = typer.Option(None, "--epochs", min=1, help="Instead of the recipe's, to try things out."),
    change: list[str] = typer.Option(
        [], "--set", help="KEY=VALUE in place of the recipe's, such as training.dynamics.kinetic=0.01. Repeat."
    ),
    start: Path = typer.Option(None, "--from", help="A checkpoint whose weights to start from."),
) -> None:
    """Train a model by a recipe; Ctrl-C stops after the last finished epoch, the same command goes on.

    Writes best.ckpt, metrics.jsonl and curves.png.

    Example: hemonode train --recipe first_light --data-root ../shared/data -o runs/first_light
    """
    from hemonode.train.run import run_training

    run_training(recipe, data_root, out, epochs, change, start)
