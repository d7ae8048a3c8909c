"""bench.json: everything a benchmark found, with what it was measured on."""

from __future__ import annotations

from collections.abc import Sequence

from hemonode.benchmarks.bench.circumstances import Circumstances
from hemonode.benchmarks.bench.contestant import BASELINE, Contestant, Record
from hemonode.benchmarks.bench.figures import Line
from hemonode.benchmarks.bench.jobs import Probed
from hemonode.benchmarks.bench.ratios import SettingRatios, reference_of
from hemonode.benchmarks.bench.steadiness import Steadiness
from hemonode.train.metrics.result import Evaluation

NOISY_ROUNDS = 0.1
"""Where a contestant's rounds differ by more, its own figures are called noisy."""


class Subject(Record):
    """What was measured.

    Attributes:
        bundle: its name.
        sha256: of its bundle.json.
        data: names of the data sets.
        pictures: segmented for the accuracies.
        frame_px: (width, height) of the timed frames, at the working scale, padded.
        frames: different ones that the timed runs cycle through.
        weights_bytes: of the weight files that the bundle's graphs share.
        baseline: name of the checkpoint that ratios are taken against, None: the bundle's own.
    """

    bundle: str
    sha256: str
    data: tuple[str, ...]
    split: str
    pictures: int
    frame_px: tuple[int, int]
    frames: int
    weights_bytes: dict[str, int]
    baseline: str | None


class Judgement(Record):
    """A contestant's full evaluation, one for each data set."""

    contestant: Contestant
    evaluations: tuple[Evaluation, ...]


class Benchmark(Record):
    """The whole file.

    Attributes:
        finished: False after Ctrl-C, and while it runs; what is there is valid.
        engines: what each of them is, by `Contestant.label`.
        left_out: what did not work, and why.
        steadiness: None where nothing was timed.
    """

    hemonode_version: str
    finished: bool
    subject: Subject
    circumstances: Circumstances
    engines: dict[str, Probed]
    lines: tuple[Line, ...]
    ratios: tuple[SettingRatios, ...]
    judgements: tuple[Judgement, ...]
    left_out: dict[str, str]
    steadiness: Steadiness

    @property
    def warnings(self) -> list[str]:
        """Why the figures may not be trusted: sentences."""
        found = [self.circumstances.warning, self.steadiness.warning]
        if not self.finished:
            found.append("Stopped before its end: what was not finished is missing.")
        found.append(_noisy(self.lines))
        return [sentence for sentence in found if sentence is not None]

    @property
    def reference(self) -> str | None:
        """What ratios are taken against, in words."""
        engine = reference_of(self.lines)
        return f"{engine} ({self.subject.baseline})" if engine == BASELINE else engine


def _noisy(lines: Sequence[Line]) -> str | None:
    between = [(line.latency.between_rounds or 0.0, line) for line in lines]
    noisy = [(spread, line) for spread, line in between if spread > NOISY_ROUNDS]
    if not noisy:
        return None
    spread, worst = max(noisy, key=lambda pair: pair[0])
    return (
        f"The medians of the rounds differ by more than {NOISY_ROUNDS:.0%} for {len(noisy)} of {len(lines)} lines, at "
        f"worst by {spread:.0%} ({worst.contestant}, batch {worst.batch})."
    )
