"""The `data` commands: look at labelled pictures before training on them."""

from __future__ import annotations

from pathlib import Path

import typer

DEFAULT_DESCRIPTION = "dataset.toml"


def register(app: typer.Typer) -> None:
    """Add the `data` commands to the command line."""
    data = typer.Typer(no_args_is_help=True, help="Look at labelled pictures before training on them.")
    data.command("check")(check)
    app.add_typer(data, name="data")


def check(
    source: Path = typer.Argument(..., help="A dataset.toml, or the folder that holds one."),
    root: Path = typer.Option(None, "--root", help="Folder the description's paths start from, if not its own."),
    sheet: Path = typer.Option(None, "--out", "-o", help="Write a contact sheet of pictures and labels (PNG or JPEG)."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
) -> None:
    """Find broken pairs, impossible labels and pictures that lie in two splits; exit with 1 if there are errors.

    Example: hemonode data check train/recipes/datasets/bccd.toml --root ../shared/data/bccd -o sheet.png
    """
    from hemonode.train.data.report import run_check

    description = source / DEFAULT_DESCRIPTION if source.is_dir() else source
    if not run_check(description, root, sheet, as_json=as_json):
        raise typer.Exit(1)
