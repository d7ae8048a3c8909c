"""The `benchmarks` folder's commands."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import typer

MOST_SIDE_PX = 4096


class PeerChoice(str, Enum):
    """How torch takes part."""

    adaptive = "adaptive"
    eager = "eager"
    compile = "compile"


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the command line."""
    app.command("bench")(bench)


def bench(
    bundle: Path = typer.Argument(None, help="A .hemo folder or zip.", show_default="the shipped model"),
    data: list[str] = typer.Option(
        ..., "--data", help="A labelled folder, a dataset.toml, or a shipped one's name. Repeatable."
    ),
    root: list[Path] = typer.Option([], "--root", help="The data set's folder, one for each --data."),
    split: str = typer.Option("val", "--split", help="Which of its pictures."),
    pictures: int = typer.Option(24, "--pictures", min=1, help="Segment at most so many of each for the accuracies."),
    checkpoint: Path = typer.Option(
        None, "--checkpoint", help="What the bundle was exported from: torch takes part as its peer."
    ),
    baseline: Path = typer.Option(
        None, "--baseline", help="Another checkpoint, solved adaptively: what ratios are taken against."
    ),
    engine: list[str] = typer.Option([], "--engine", help="Only this engine. Repeatable.", show_default="all"),
    setting: list[str] = typer.Option(
        [], "--setting", help="Only this solver setting. Repeatable.", show_default="all"
    ),
    precision: list[str] = typer.Option([], "--precision", help="Only this precision. Repeatable.", show_default="all"),
    peer: list[PeerChoice] = typer.Option([], "--peer", help="Only this way in torch. Repeatable.", show_default="all"),
    batch: list[int] = typer.Option([1, 4], "--batch", min=1, help="Frames per run. Repeatable."),
    runs: int = typer.Option(120, "--runs", min=2, help="Timed runs of each, in rounds."),
    seconds: float = typer.Option(10.0, "--seconds", min=0.1, help="Longest time in one round for each."),
    threads: int = typer.Option(None, "--threads", min=1, help="CPU threads.", show_default="one for each core"),
    size: str = typer.Option(
        None,
        "--size",
        help="WIDTHxHEIGHT of the timed frames, at the working scale.",
        show_default="the pictures' own",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print everything as JSON."),
    out: Path = typer.Option(None, "--out", "-o", help="Folder for bench.json, bench.csv, bench.md and bench.png."),
) -> None:
    """Compare latency, cost and accuracy of every way to run a bundle.

    Every solver setting on every engine in every precision; with --checkpoint also torch: with adaptive dopri5, with
    the unrolled solvers, and compiled. All take turns in rounds, each in a process of its own.

    Example: hemonode bench --data ../shared/data/bccd --pictures 4 --runs 30 -o bench
    """
    from hemonode.benchmarks.bench.entrants import PRECISIONS
    from hemonode.benchmarks.bench.request import Request
    from hemonode.benchmarks.bench.run import run_bench
    from hemonode.runtime.engines import ENGINES

    if root and len(root) != len(data):
        raise typer.BadParameter("give one --root for each --data, or none", param_hint="--root")
    if peer and checkpoint is None:
        raise typer.BadParameter("torch needs --checkpoint to take part", param_hint="--peer")
    for name in engine:
        if name not in ENGINES:
            raise typer.BadParameter(f"choose among {', '.join(ENGINES)}", param_hint="--engine")
    for name in precision:
        if name not in PRECISIONS:
            raise typer.BadParameter(f"choose among {', '.join(PRECISIONS)}", param_hint="--precision")
    run_bench(
        Request(
            bundle=bundle,
            data=tuple(data),
            roots=tuple(root),
            split=split,
            pictures=pictures,
            checkpoint=checkpoint,
            baseline=baseline,
            engines=tuple(dict.fromkeys(engine)),
            settings=tuple(dict.fromkeys(setting)),
            precisions=tuple(dict.fromkeys(precision)),
            peers=tuple(choice.value for choice in dict.fromkeys(peer)),
            batches=tuple(sorted(set(batch))),
            runs=runs,
            seconds=seconds,
            threads=threads,
            size_px=None if size is None else _size(size),
            as_json=as_json,
            out=out,
        )
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise typer.BadParameter("write WIDTHxHEIGHT, such as 320x240", param_hint="--size")
    if not (0 < int(width) <= MOST_SIDE_PX and 0 < int(height) <= MOST_SIDE_PX):
        raise typer.BadParameter(f"each side is 1 to {MOST_SIDE_PX} px", param_hint="--size")
    return int(width), int(height)
