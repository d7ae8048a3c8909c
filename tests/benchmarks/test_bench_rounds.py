"""Contestants take turns, one that fails is left out, and an interruption keeps what is finished."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemonode.benchmarks.bench import rounds
from hemonode.benchmarks.bench.contestant import Contestant, Ground
from hemonode.benchmarks.bench.rounds import Race, Schedule, Times, run_rounds
from hemonode.errors import EngineError

FAST, SLOW = (Race(Contestant(engine="cpu", setting=name), 1) for name in ("fast", "slow"))


@pytest.fixture
def race(monkeypatch, timed):
    """Run three rounds of both races with `answer` in place of a child; returns what was asked for, and the times."""
    monkeypatch.setattr(rounds, "run_fixed_load", lambda _: 50.0)
    ground = Ground(bundle=Path("b"), checkpoint=None, baseline=None, threads=1, scratch=Path("s"))
    asked, times = [], Times()

    def run(answer=lambda *_: None):
        def run_job(job, kind):
            asked.append((job.contestant.setting, job.runs))
            answer(job, len(asked))
            return timed(1, 2)

        monkeypatch.setattr(rounds, "run_job", run_job)
        run_rounds([FAST, SLOW], Schedule(runs=12, seconds=1.0), ground, Path("f"), times, lambda *_: None)

    return run, asked, times


def test_contestants_take_turns_there_and_back(race):
    run, asked, times = race
    run()
    assert [name for name, _ in asked] == ["fast", "slow", "slow", "fast", "fast", "slow"]
    assert {runs for _, runs in asked} == {4}
    assert {key: len(found) for key, found in times.timed.items()} == {FAST: 3, SLOW: 3}
    assert len(times.loads_ms) == 7


def test_one_that_fails_is_left_out_with_its_reason_and_not_tried_again(race):
    run, asked, times = race

    def fail(job, number):
        if job.contestant.setting == "slow" and number > 2:
            raise EngineError("it broke")

    run(fail)
    assert [name for name, _ in asked] == ["fast", "slow", "slow", "fast", "fast"]
    assert times.failed == {SLOW: "it broke"}
    assert set(times.timed) == {FAST}


def test_ctrl_c_loses_no_finished_round(race):
    run, _, times = race

    def interrupt(job, number):
        if number == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupt)
    assert {key: len(found) for key, found in times.timed.items()} == {FAST: 1, SLOW: 2}


def test_few_runs_are_still_two_in_each_round():
    assert (Schedule(2, 1.0).rounds, Schedule(2, 1.0).runs_in_round) == (1, 2)
    assert (Schedule(4, 1.0).rounds, Schedule(4, 1.0).runs_in_round) == (2, 2)
    assert (Schedule(120, 1.0).rounds, Schedule(120, 1.0).runs_in_round) == (3, 40)
