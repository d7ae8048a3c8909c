"""The command `hemonode doctor`; registered by `hemonode.runtime.commands`."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add `doctor` to the application."""
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    run: bool = typer.Option(False, "--run", help="Also run every engine that works on a drawn smear."),
    as_json: bool = typer.Option(False, "--json", help="Print the findings as JSON on standard output."),
) -> None:
    """Say what works here, what does not, and what to do about it.

    Green: works, or is not needed on this machine. Yellow: works, but slower or with less than the machine could.
    Red: does not work. Exit status 0 when nothing is red, 1 when something is.

    Example: hemonode doctor --run
    """
    from hemonode.runtime.doctor.visit import visit

    if not visit(trial=run, as_json=as_json, debug=bool(context.obj)):
        raise typer.Exit(1)
