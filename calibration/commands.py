"""The `calibrate` commands."""

from __future__ import annotations

from pathlib import Path

import typer

from hemonode.runtime.commands import EngineChoice, PrecisionChoice


def register(app: typer.Typer) -> None:
    """Add the `calibrate` commands to the command line."""
    calibrate = typer.Typer(no_args_is_help=True, help="Measure what later commands rely on.")
    # Typer makes a group of one command the command itself, unless the group has a callback.
    calibrate.callback()(_calibrate)
    calibrate.command("solver")(solver)
    calibrate.command("fine-tune")(fine_tune)
    app.add_typer(calibrate, name="calibrate")


def _calibrate() -> None:
    pass


def solver(
    checkpoint: Path = typer.Argument(..., help="The best.ckpt of a training run."),
    tolerance: list[float] = typer.Option(..., "--tolerance", help="Largest error of a block. Repeat for a ladder."),
    data: list[str] = typer.Option(..., "--data", help="A dataset.toml, its folder, or a shipped one's name. Repeat."),
    root: list[Path] = typer.Option([], "--root", help="The data set's folder, one for each --data."),
    out: Path = typer.Option(..., "--out", "-o", help="Folder for solver.json, report.md and pareto.png."),
    split: str = typer.Option("train", "--split", help="Which pictures to choose on."),
    images: int = typer.Option(100, "--images", min=1, help="How many; fewer than 100 are noted in the record."),
    held_out_data: list[str] = typer.Option(
        [], "--held-out-data", help="Data sets to confirm on, such as another stain. [default: those of --data]"
    ),
    held_out_root: list[Path] = typer.Option([], "--held-out-root", help="One for each --held-out-data."),
    held_out_split: str = typer.Option("val", "--held-out-split", help="Which pictures to confirm on."),
    held_out_images: int = typer.Option(40, "--held-out-images", min=1, help="How many."),
    method: list[str] = typer.Option(
        [], "--method", help="A method, or the TOML file of your own. Repeat. [default: all that are built in]"
    ),
    budget: int = typer.Option(32, "--budget", min=1, help="Most evaluations of f in one pass of a block."),
    estimate_error: bool = typer.Option(False, "--estimate-error", help="Choose solvers that estimate their errors."),
    fp16: bool = typer.Option(False, "--fp16", help="Refuse tolerances that FP16 graphs cannot hold."),
    changed_pixels: float = typer.Option(
        None,
        "--changed-pixels",
        min=0,
        max=1,
        help="Largest share of a picture's mask that may change. [default: the tolerance, at most 0.01]",
    ),
    changed_counts: float = typer.Option(
        None,
        "--changed-counts",
        min=0,
        max=1,
        help="Largest share of all cells by which counts may change. [default: 10 × the tolerance, at most 0.02]",
    ),
    engine: EngineChoice = typer.Option(
        None, "--engine", help="Measure costs on it. [default: count multiply-adds instead]"
    ),
    precision: PrecisionChoice = typer.Option("auto", "--precision", help="What that engine computes in."),
    threads: int = typer.Option(None, "--threads", min=1, help="CPU threads. [default: the libraries']"),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the draw of pictures."),
    as_json: bool = typer.Option(False, "--json", help="Print solver.json."),
) -> None:
    """Find the cheapest fixed-step solver of each ODE block that keeps a tolerance, and prove it on real pictures.

    The error of a block is its distance from the exact solution over the distance that the exact solution moves, of a
    whole picture and of every 32 px tile. Ctrl-C keeps what was measured; the same command goes on.

    Example: hemonode calibrate solver runs/first_light/best.ckpt --data bccd --root ../shared/data/bccd
    --tolerance 1e-2 --tolerance 1e-3 -o calibration_first_light
    """
    from hemonode.calibration.solver.request import Request
    from hemonode.calibration.solver.run import run_calibration

    for name, sets, roots in (("", data, root), ("held-out-", held_out_data, held_out_root)):
        if roots and len(roots) != len(sets):
            raise typer.BadParameter(
                f"give one --{name}root for each --{name}data, or none", param_hint=f"--{name}root"
            )
    run_calibration(
        Request(
            checkpoint=checkpoint,
            tolerances=tuple(tolerance),
            data=tuple(data),
            roots=tuple(root),
            out=out,
            split=split,
            images=images,
            held_out_data=tuple(held_out_data),
            held_out_roots=tuple(held_out_root),
            held_out_split=held_out_split,
            held_out_images=held_out_images,
            methods=tuple(method),
            budget=budget,
            estimate=estimate_error,
            half=fp16,
            changed_pixels=changed_pixels,
            changed_counts=changed_counts,
            engine=None if engine is None else engine.value,
            precision=precision.value,
            threads=threads,
            seed=seed,
            as_json=as_json,
        )
    )


def fine_tune(
    checkpoint: Path = typer.Argument(..., help="The best.ckpt of a training run."),
    solver_file: Path = typer.Option(..., "--solver-file", help="The solver.json of a calibration, or your own."),
    setting: str = typer.Option(None, "--setting", help="Which of its settings. [default: the only one]"),
    data_root: Path = typer.Option(..., "--data-root", help="The folder that holds the recipe's data folders."),
    out: Path = typer.Option(..., "--out", "-o", help="Folder of the run; a run found there goes on."),
    recipe: str = typer.Option(None, "--recipe", help="A recipe's file or name. [default: the checkpoint's]"),
    steps: int = typer.Option(200, "--steps", min=1, help="Training steps."),
    learning_rate: float = typer.Option(1e-4, "--learning-rate", min=0, help="The largest."),
    change: list[str] = typer.Option([], "--set", help="KEY=VALUE in place of the recipe's. Repeat."),
) -> None:
    """Train a few steps through the very solvers of a setting, so that the weights allow for their error.

    Calibrate the new checkpoint before a tolerance is claimed for it: its exact solution is no longer the old one.

    Example: hemonode calibrate fine-tune runs/first_light/best.ckpt --solver-file calibration_first_light/solver.json
    --setting tol1e-2 --data-root ../shared/data -o runs/tuned
    """
    from hemonode.calibration.fine_tune import FineTuning
    from hemonode.calibration.fine_tune import fine_tune as run_fine_tuning

    run_fine_tuning(
        FineTuning(
            checkpoint=checkpoint,
            solver_file=solver_file,
            setting=setting,
            recipe=recipe,
            data_root=data_root,
            out=out,
            steps=steps,
            learning_rate=learning_rate,
            changes=tuple(change),
        )
    )
