"""What was asked of `hemonode bench` on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One benchmark.

    Attributes:
        bundle: a folder or zip; None is the shipped one.
        data: a folder, a dataset.toml or a shipped description's name, each.
        roots: the data sets' folders, one for each of `data`; none: each description's own.
        split: of every data set.
        pictures: at most so many of each split are segmented for the accuracies.
        checkpoint: what the bundle was exported from; without it torch takes no part.
        baseline: a checkpoint that is solved adaptively as the reference for ratios.
        engines, settings, precisions, peers: only these; none: all there are.
        batches: frames per run.
        runs: timed runs of each contestant, over all rounds together.
        seconds: no new run starts after so long in a round.
        threads: of every engine and peer; None: one for each core.
        size_px: (width, height) of the frames at the working scale; None: the pictures' usual one.
        as_json: print the result as JSON.
        out: folder for the files.
    """

    bundle: Path | None
    data: tuple[str, ...]
    roots: tuple[Path, ...]
    split: str
    pictures: int
    checkpoint: Path | None
    baseline: Path | None
    engines: tuple[str, ...]
    settings: tuple[str, ...]
    precisions: tuple[str, ...]
    peers: tuple[str, ...]
    batches: tuple[int, ...]
    runs: int
    seconds: float
    threads: int | None
    size_px: tuple[int, int] | None
    as_json: bool
    out: Path | None
