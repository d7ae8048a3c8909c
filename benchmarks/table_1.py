"""Table 1 of the paper, measured: U-Net and ODE-UNet1 to 9, time for twenty pictures, accuracies of trained ones.

Run: python -m hemonode.benchmarks.table_1 --rounds 1
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
import typer
from rich.console import Console
from torch import nn

from hemonode.benchmarks.bench.contestant import BASELINE, Contestant, Ground
from hemonode.benchmarks.bench.data import Located, locate
from hemonode.benchmarks.bench.jobs import Judged, Judging
from hemonode.benchmarks.bench.spawn import run_job
from hemonode.benchmarks.machine import describe_machine
from hemonode.benchmarks.paper_table_1 import IMAGES, PAPER, SIDE_PX, WIDTH
from hemonode.benchmarks.table_1_networks import checkpoints_by_row, fresh_network
from hemonode.benchmarks.table_1_report import Accuracies, Row, accuracies, as_json, as_markdown
from hemonode.errors import HemonodeError
from hemonode.runtime.preprocess import resample
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.data.spread import spread
from hemonode.train.metrics.run import open_datasets
from hemonode.train.solvers import evaluations

WORKING_RED_CELL_PX = 40
"""Diameter of a red cell in the pictures that are timed."""


def main(
    checkpoint: list[Path] = typer.Option([], "--checkpoint", help="A trained network of the table. Repeatable."),
    data: str = typer.Option(None, "--data", help="Labelled pictures for the trained ones: folder, toml or name."),
    root: Path = typer.Option(None, "--root", help="The data set's folder."),
    split: str = typer.Option("val", "--split", help="Which of its pictures."),
    pictures: int = typer.Option(None, "--pictures", min=1, help="Judge at most so many.", show_default="all"),
    network: list[str] = typer.Option([], "--network", help="Only this row. Repeatable.", show_default="all"),
    rounds: int = typer.Option(3, "--rounds", min=1, help="Every network segments the pictures once in each."),
    threads: int = typer.Option(None, "--threads", min=1, help="CPU threads.", show_default="one for each core"),
    width: int = typer.Option(WIDTH, "--width", min=4, help="Channels of the first stage of untrained networks."),
    json_file: Path = typer.Option(None, "--json", help="Also write the figures here."),
) -> None:
    """Measure the table and print it beside the paper's figures."""
    for name in network:
        if name not in PAPER:
            raise typer.BadParameter(f"choose among {', '.join(PAPER)}", param_hint="--network")
    if checkpoint and data is None:
        raise typer.BadParameter("trained networks are judged on pictures: give --data", param_hint="--checkpoint")
    machine = describe_machine()
    threads = threads or machine.cores
    torch.set_num_threads(threads)
    located = None if data is None else locate([data], [] if root is None else [root])
    trained = checkpoints_by_row(checkpoint)
    names = [name for name in PAPER if name in network] or list(PAPER)
    networks = {
        name: load_checkpoint(trained[name]).build_model() if name in trained else fresh_network(name, width, "relu")
        for name in names
    }
    frames = noise() if located is None else cut_out(located, split)
    measured = measure(networks, frames, rounds)
    rows = []
    for name in names:
        judged = None
        if located is not None and name in trained:
            judged = judge(trained[name], located, split, pictures, threads)
        times = measured[name]
        rows.append(
            Row(name, tuple(times.seconds), tuple(times.processor_s), times.evaluations, name in trained, judged)
        )
    typer.echo(as_markdown(machine, threads, rows))
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(machine, threads, rows), indent=2) + "\n", encoding="utf-8")


def noise() -> npt.NDArray[np.uint8]:
    """Twenty pictures of blurred noise, uint8 [20, 256, 256, 3]: an untrained network sees no cells in others."""
    random = np.random.default_rng(0)
    pictures = [cv2.GaussianBlur(random.normal(128, 600, (SIDE_PX, SIDE_PX, 3)), (0, 0), 4) for _ in range(IMAGES)]
    return np.clip(pictures, 0, 255).astype(np.uint8)


def cut_out(located: Located, split: str) -> npt.NDArray[np.uint8]:
    """The middle of twenty pictures at the working scale, mirrored where one is smaller: uint8 [20, 256, 256, 3]."""
    (dataset,) = open_datasets(located.data, located.roots)
    entries = spread(dataset.entries(split), IMAGES)
    frames = []
    for number in range(IMAGES):
        sample = dataset.read(entries[number % len(entries)])
        frames.append(_middle(resample(sample.pixels, WORKING_RED_CELL_PX / sample.red_cell_px)))
    return np.stack(frames)


def _middle(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    for axis in (0, 1):
        missing = max(SIDE_PX - picture.shape[axis], 0)
        margins = [(0, 0)] * 3
        margins[axis] = (missing // 2, missing - missing // 2)
        picture = np.pad(picture, margins, mode="symmetric")
    top, left = ((side - SIDE_PX) // 2 for side in picture.shape[:2])
    return picture[top : top + SIDE_PX, left : left + SIDE_PX]


@dataclass
class Times:
    """Of one network for all pictures: wall-clock and processor seconds of each round, evaluations of f per picture."""

    seconds: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)
    evaluations: float = 0.0


def measure(networks: Mapping[str, nn.Module], frames: npt.NDArray[np.uint8], rounds: int) -> dict[str, Times]:
    """Let every network segment all pictures, one by one.

    Args:
        networks: by row; they take turns in every round.
        frames: uint8 [K, H, W, 3].
        rounds: how many.
    """
    say = Console(stderr=True)
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
    measured = {name: Times() for name in networks}
    for number in range(rounds):
        for name, network in networks.items():
            with say.status(f"Round {number + 1} of {rounds}: {name}"), torch.no_grad():
                network(pixels[:1])
                evaluations(network)
                started, spent = time.perf_counter(), time.process_time()
                for picture in pixels:
                    network(picture[None]).logits.argmax(1)
                measured[name].seconds.append(time.perf_counter() - started)
                measured[name].processor_s.append(time.process_time() - spent)
            measured[name].evaluations = sum(evaluations(network).values()) / len(pixels)
    return measured


def judge(checkpoint: Path, located: Located, split: str, pictures: int | None, threads: int) -> Accuracies | None:
    """The accuracies of a trained network, solved adaptively."""
    with tempfile.TemporaryDirectory(prefix="hemonode-table-1-") as scratch:
        job = Judging(
            ground=Ground(
                bundle=None, checkpoint=None, baseline=checkpoint.absolute(), threads=threads, scratch=Path(scratch)
            ),
            contestant=Contestant(engine=BASELINE, setting=None),
            data=located.data,
            roots=located.roots,
            split=split,
            pictures=pictures,
            masks=Path(scratch, "masks.npz"),
        )
        (evaluation,) = run_job(job, Judged).evaluations
    return accuracies(evaluation)


if __name__ == "__main__":
    try:
        typer.run(main)
    except HemonodeError as error:
        sys.exit(f"table_1: {error}")
