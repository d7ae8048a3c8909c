"""The `hemonode` command: collects each folder's commands and turns errors into one sentence."""

from __future__ import annotations

import importlib
import sys

import typer

from hemonode import __version__
from hemonode.errors import HemonodeError

# One line per folder; each `commands.py` adds its own commands and imports only typer at its top.
COMMAND_MODULES = (
    "hemonode.train.commands",
    "hemonode.export.commands",
    "hemonode.runtime.commands",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hemonode {__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """The complete command-line application, every folder's commands included."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Blood-cell masks and counts next to the microscope. For research use; not a diagnostic device.",
    )

    @app.callback()
    def hemonode(
        version: bool = typer.Option(
            False, "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
        debug: bool = typer.Option(False, "--debug", help="Show a traceback with every error."),
    ) -> None:
        pass

    for name in COMMAND_MODULES:
        importlib.import_module(name).register(app)
    return app


def main() -> None:
    """Entry point. Exit status: 0 done; 1 what was asked could not be done; 2 bad usage."""
    # Read before parsing, so that `--debug` helps with any error and at any place in the line.
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        build_app()(args=arguments, standalone_mode=True)
    except HemonodeError as error:
        if debug:
            raise
        typer.echo(f"hemonode: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        if debug:
            raise
        typer.echo("hemonode: stopped by Ctrl-C; what was finished before stays valid.", err=True)
        sys.exit(1)
