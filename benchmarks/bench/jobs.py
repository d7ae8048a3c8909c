"""What a child process is asked to do with a contestant, and what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from hemonode.benchmarks.bench.contestant import Contestant, Ground, Record
from hemonode.train.metrics.result import Evaluation


class Probe(Record):
    """Open the contestant on the smallest frame, to see whether it works here."""

    kind: Literal["probe"] = "probe"
    ground: Ground
    contestant: Contestant


class Probed(Record):
    """What it is, as the library says."""

    version: str
    device: str
    precision: str


class Timing(Record):
    """Time a contestant on batches of prepared frames.

    Attributes:
        frames: .npy file, uint8 [K, H, W, 3].
        batch: frames in each run.
        runs: timed runs after warm-up.
        seconds: no new run starts after so long; two are always made.
    """

    kind: Literal["timing"] = "timing"
    ground: Ground
    contestant: Contestant
    frames: Path
    batch: int
    runs: int
    seconds: float


class Timed(Record):
    """One child's figures.

    Attributes:
        latency_ms: of each run, a whole batch.
        processor_ms: that all threads of the process together spent on it; other programs disturb it far less.
        open_s: from the first import of the engine's library to the first answer.
        peak_mb: largest resident memory of the whole process, in 10^6 bytes; None where the system does not tell.
        before_mb: the same before the engine's library was loaded: Python, NumPy and the frames.
        energy_j: joules during the timed runs, per meter of the machine.
    """

    latency_ms: tuple[float, ...]
    processor_ms: tuple[float, ...]
    open_s: float
    peak_mb: float | None
    before_mb: float | None
    energy_j: dict[str, float]


class Judging(Record):
    """Let a contestant segment labelled pictures.

    Attributes:
        data: `--data`, each with its folder in `roots`; none: the descriptions' own.
        pictures: at most so many of each data set's split, evenly spread; None: all.
        masks: .npz file to write the class ids of every picture to.
    """

    kind: Literal["judging"] = "judging"
    ground: Ground
    contestant: Contestant
    data: tuple[str, ...]
    roots: tuple[Path, ...]
    split: str
    pictures: int | None
    masks: Path


class Judged(Record):
    """Accuracy, one evaluation for each data set, and what is compared between contestants.

    Attributes:
        names: of the pictures, in the order of the arrays in `masks`.
        counts: of each picture: visible cells by class id.
    """

    evaluations: tuple[Evaluation, ...]
    names: tuple[str, ...]
    counts: tuple[dict[int, int], ...]
    masks: Path


class Working(Record):
    """Count what an adaptive solver does on prepared frames, each alone."""

    kind: Literal["working"] = "working"
    ground: Ground
    contestant: Contestant
    frames: Path


class Worked(Record):
    """Means over the frames.

    Attributes:
        multiply_adds: of all convolutions, per frame.
        evaluations: of f, by position of the block.
    """

    multiply_adds: float
    evaluations: dict[int, float]


class Failed(Record):
    """Why a job could not be done: the name of an error of `hemonode.errors`, and its sentence."""

    error: str
    reason: str


Job = Probe | Timing | Judging | Working


class Envelope(Record):
    """A job as it is written for the child."""

    job: Annotated[Job, Field(discriminator="kind")]
