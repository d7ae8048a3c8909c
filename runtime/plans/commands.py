"""The commands `hemonode build` and `hemonode engines`; registered by `hemonode.runtime.commands`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer


class GraphChoice(str, Enum):
    """Which of a setting's graphs; auto is the one that the runtime takes unasked."""

    auto = "auto"
    fp32 = "fp32"
    fp16 = "fp16"


def register(app: typer.Typer) -> None:
    """Add `build` and `engines` to the application."""
    app.command("build")(build)
    engines = typer.Typer(no_args_is_help=True, help="What can run models here, and the TensorRT engines built so far.")
    engines.command("list")(show)
    engines.command("clean")(clean)
    app.add_typer(engines, name="engines")


def build(
    bundle: Path = typer.Argument(None, help="A .hemo folder or zip.", show_default="the shipped model"),
    setting: list[str] = typer.Option([], "--setting", help="Solver setting. Repeatable.", show_default="its default"),
    precision: GraphChoice = typer.Option(
        "auto", "--precision", help="auto: fp16 where bundle and GPU can, else fp32."
    ),
    camera: str = typer.Option(None, "--camera", help="WIDTHxHEIGHT of the pictures to come.", show_default="640x480"),
    red_cell_px: float = typer.Option(
        None, "--red-cell-px", min=1, max=10_000, help="Red-cell diameter in them, pixels.", show_default="90"
    ),
    shape: list[str] = typer.Option(
        [], "--shape", help="Or the frames themselves: HEIGHTxWIDTH at the working scale. Repeatable."
    ),
    profile: str = typer.Option(
        None,
        "--profile",
        help="MIN..MAX, each HEIGHTxWIDTH: one engine for all frames from MIN to MAX; usually slower.",
    ),
    batch: int = typer.Option(1, "--batch", min=1, max=256, help="Frames at once; with --profile, up to so many."),
    workspace_mib: int = typer.Option(
        None, "--workspace-mib", min=1, help="Most memory for TensorRT's workspace.", show_default="by free memory"
    ),
    optimisation_level: int = typer.Option(
        None, "--optimisation-level", min=0, max=5, help="More searches longer.", show_default="TensorRT's own"
    ),
    rebuild: bool = typer.Option(False, "--rebuild", help="Even if there is one."),
    verbose: bool = typer.Option(False, "--verbose", help="Keep TensorRT's full log beside the engine."),
    as_json: bool = typer.Option(False, "--json", help="Print what was built as JSON."),
) -> None:
    """Build TensorRT engines for this machine's GPU, minutes each, and keep them for later runs.

    Without options: the engine that `hemonode live` needs for a camera of 640×480.

    Example: hemonode build --camera 1280x720 --red-cell-px 120

    Example: hemonode build first_light.hemo --setting tol1e-2 --setting tol1e-3 --shape 224x288
    """
    if shape and (camera is not None or red_cell_px is not None):
        raise typer.BadParameter("give --shape, or --camera and --red-cell-px, not both", param_hint="--shape")
    if profile is not None and len(shape) > 1:
        raise typer.BadParameter("give one --shape, where it shall be fastest", param_hint="--profile")
    from hemonode.runtime.plans.ask import BuildAsk
    from hemonode.runtime.plans.build import run_builds

    try:
        ask = BuildAsk.from_words(
            bundle=bundle,
            settings=setting,
            precision=precision.value,
            camera=camera,
            red_cell_px=red_cell_px,
            shapes=shape,
            profile=profile,
            batch=batch,
            workspace_mib=workspace_mib,
            optimisation_level=optimisation_level,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    run_builds(ask, rebuild=rebuild, verbose=verbose, as_json=as_json)


def show(
    verify: bool = typer.Option(False, "--verify", help="Read every engine whole and check its hash."),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """List what can run models on this machine, and the TensorRT engines built so far.

    Example: hemonode engines list --verify
    """
    from hemonode.runtime.plans.listing import show_engines

    show_engines(verify=verify, as_json=as_json)


def clean(
    name: list[str] = typer.Argument(None, help="Names that `engines list` shows.", show_default=False),
    everything: bool = typer.Option(
        False, "--all", help="All engines, those for other machines too, and what OpenVINO compiled."
    ),
    stale: bool = typer.Option(
        False, "--stale", help="Those that are damaged or do not fit this machine: the default."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print what was deleted as JSON."),
) -> None:
    """Delete built TensorRT engines; they can be built again.

    Example: hemonode engines clean --stale
    """
    if everything + stale + bool(name) > 1:
        raise typer.BadParameter("give names, --stale or --all, only one of them", param_hint="--all")
    from hemonode.runtime.plans.cleaning import clean_engines

    clean_engines(tuple(name or ()), everything=everything, as_json=as_json)
