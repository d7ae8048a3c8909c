"""Timed rounds: every contestant once in each, so that whatever disturbs the machine disturbs all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from hemonode.benchmarks.bench.contestant import Contestant, Ground
from hemonode.benchmarks.bench.jobs import Timed, Timing
from hemonode.benchmarks.bench.spawn import run_job
from hemonode.benchmarks.bench.steadiness import run_fixed_load
from hemonode.benchmarks.bench.timing import LEAST_RUNS
from hemonode.errors import HemonodeError

MOST_ROUNDS = 3


@dataclass(frozen=True)
class Race:
    """One contestant with one batch size."""

    contestant: Contestant
    batch: int

    def __str__(self) -> str:
        return f"{self.contestant}, batch {self.batch}"


@dataclass
class Times:
    """What was measured so far.

    Attributes:
        timed: of each race, one entry for each finished round.
        failed: races that could not be run, and why; they are not tried again.
        loads_ms: the fixed load, before each child.
    """

    timed: dict[Race, list[Timed]] = field(default_factory=dict)
    failed: dict[Race, str] = field(default_factory=dict)
    loads_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Schedule:
    """How often everything is timed: `runs` in all, in `rounds` rounds of at most `seconds` for each race."""

    runs: int
    seconds: float

    @property
    def rounds(self) -> int:
        """As many as there can be with two runs in each, up to three."""
        return min(MOST_ROUNDS, max(self.runs // LEAST_RUNS, 1))

    @property
    def runs_in_round(self) -> int:
        """Of each race."""
        return max(ceil(self.runs / self.rounds), LEAST_RUNS)


def run_rounds(
    races: Sequence[Race],
    schedule: Schedule,
    ground: Ground,
    frames: Path,
    times: Times,
    on_race: Callable[[Race, int], None],
) -> None:
    """Run all rounds.

    Args:
        races: what to time.
        schedule: how often.
        ground: of the run.
        frames: .npy file of frames.
        times: filled as rounds finish, so that an interruption loses none of them.
        on_race: told of each race and its round, counted from 0, before it is run.
    """
    for number in range(schedule.rounds):
        # There and back: a machine that slowly warms up favours nobody.
        for race in races if number % 2 == 0 else reversed(races):
            on_race(race, number)
            if race in times.failed:
                continue
            times.loads_ms.append(run_fixed_load(ground.threads))
            job = Timing(
                ground=ground,
                contestant=race.contestant,
                frames=frames,
                batch=race.batch,
                runs=schedule.runs_in_round,
                seconds=schedule.seconds,
            )
            try:
                timed = run_job(job, Timed)
            except HemonodeError as error:
                times.failed[race] = str(error)
                times.timed.pop(race, None)
            else:
                times.timed.setdefault(race, []).append(timed)
    times.loads_ms.append(run_fixed_load(ground.threads))
