"""The `hemonode` command: collects each folder's commands and turns errors into one sentence."""

from __future__ import annotations

import importlib
import sys
from typing import Any, NoReturn

import typer
import typer.core

from hemonode import __version__
from hemonode.errors import HemonodeError, InterruptedByUser

# One line per folder; each `commands.py` adds its own commands and imports only typer at its top.
COMMAND_MODULES = (
    "hemonode.train.commands",
    "hemonode.calibration.commands",
    "hemonode.export.commands",
    "hemonode.runtime.commands",
    "hemonode.benchmarks.commands",
)

# Which extra brings a package that a command may miss.
EXTRAS = {
    "cuda": "cuda",
    "cv2": "cpu",
    "lightning_fabric": "train",
    "matplotlib": "train",
    "onnx": "export",
    "onnxruntime": "cpu",
    "openvino": "cpu",
    "pyarrow": "parquet",
    "tensorrt": "tensorrt",
    "torch": "train",
    "torchdiffeq": "train",
}


class _Commands(typer.core.TyperGroup):
    """A command group in which Ctrl-C is an error like any other; typer would exit with 130 and say nothing."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (the context's type is private to typer)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise InterruptedByUser(
                "stopped by Ctrl-C; what was finished before it is complete and valid."
            ) from interrupt


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hemonode {__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """The complete command-line application, every folder's commands included."""
    app = typer.Typer(
        cls=_Commands,
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
        debug: bool = typer.Option(
            False, "--debug", help="Show a traceback with every error; works anywhere in the line."
        ),
    ) -> None:
        pass

    for name in COMMAND_MODULES:
        importlib.import_module(name).register(app)
    return app


def main() -> None:
    """Entry point. Exit status: 0 done; 1 what was asked could not be done; 2 bad usage."""
    debug, arguments = _take_debug(sys.argv[1:])
    try:
        build_app()(args=arguments, obj=debug)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        _fail(_explain(error))


def _take_debug(arguments: list[str]) -> tuple[bool, list[str]]:
    """Whether `--debug` is among the options, and the arguments without it. What follows `--` is no option."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--debug"]
    return len(options) < end, options + arguments[end:]


def _explain(error: BaseException) -> str:
    """One sentence for the user."""
    if isinstance(error, HemonodeError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "stopped by Ctrl-C."
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in EXTRAS:
        return f"this command needs {package}, which is not installed; run: pip install 'hemonode[{EXTRAS[package]}]'"
    return f"unexpected {type(error).__name__}: {error}; run it again with --debug to see where, and report it."


def _fail(sentence: str) -> NoReturn:
    typer.echo(f"hemonode: {sentence}", err=True)
    sys.exit(1)
