"""The governor's decisions under a simulated clock: it keeps the target, says why it moves, and never flutters."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from hemonode.runtime.live.governor.costs import Costs
from hemonode.runtime.live.governor.moves import Taken
from hemonode.runtime.live.governor.steering import Steering

LADDER = ("coarse", "usual", "exact")
WORKS = {"coarse": 1.0, "usual": 1.25, "exact": 1.5}
OTHER_MS = 8.0
"""Of a frame's latency: everything but the engine."""


class Simulation:
    """Frames one after another on an engine of `engine_ms` for the cheapest setting; `load(seconds)` slows all down."""

    def __init__(self, load, *, target_ms=50.0, engine_ms=20.0, start="exact", real=WORKS, noise=0.03, ready=LADDER):
        self.random = random.Random(7)
        self.ready = set(ready)
        self.wanted = []
        self.steering = Steering(
            LADDER, Costs(WORKS), target_ms, start, lambda setting: setting in self.ready, self.wanted.append
        )
        self.load, self.engine_ms, self.real, self.noise = load, engine_ms, real, noise
        self.now_s = 0.0
        self.moves, self.values = [], []

    def run(self, until_s):
        while self.now_s < until_s:
            slow = self.load(self.now_s) * math.exp(self.random.gauss(0, self.noise))
            setting = self.steering.setting
            engine_ms = self.engine_ms * self.real[setting] * slow
            value_ms = engine_ms + OTHER_MS * slow
            self.now_s += value_ms / 1e3
            move = self.steering.note(Taken(self.now_s, setting, value_ms, engine_ms, self.now_s - value_ms / 1e3))
            self.values.append((self.now_s, value_ms))
            if move is not None:
                self.moves.append((self.now_s, move))
        return self

    def share_over(self, since_s, until_s):
        values = [value for at_s, value in self.values if since_s <= at_s < until_s]
        return sum(value > self.steering.target_ms for value in values) / len(values)

    @property
    def path(self):
        return [move.after for _, move in self.moves]


def step(at_s, until_s, factor):
    return lambda now_s: factor if at_s <= now_s < until_s else 1.0


def test_a_load_makes_it_step_down_at_once_and_return_when_it_is_gone():
    run = Simulation(step(20, 50, 1.5)).run(90)
    # 38 ms grow to 57; on "usual" it is 49.5, on the edge; on "coarse" 42.
    assert run.path[0] != "exact"
    assert run.moves[0][0] < 20.6, "eight frames after the load came, at the latest"
    assert run.share_over(22, 50) < 0.05, "the target holds under the load"
    assert run.steering.setting == "exact", "and the most accurate one is back"
    assert run.moves[-1][0] < 80
    assert len(run.moves) <= 4
    first = run.moves[0][1]
    assert first.reason.endswith(f"above 50 ms: from exact to {first.after}.")
    assert "of the last 8 frames took" in first.reason
    assert first.figures["over"] >= 4
    assert "should take" in run.moves[-1][1].reason


def test_it_goes_as_far_down_as_the_load_demands_in_one_move():
    run = Simulation(step(20, 1e9, 1.7)).run(40)
    assert run.path == ["coarse"]


def test_single_slow_frames_move_nothing():
    # Every twentieth frame takes four times as long.
    spikes = itertools.cycle([1.0] * 19 + [4.0])
    run = Simulation(lambda _: next(spikes)).run(300)
    assert run.moves == []


def test_frames_that_are_slow_now_and_then_but_too_often_do():
    spikes = itertools.cycle([1.0, 1.0, 1.4])
    run = Simulation(lambda _: next(spikes), noise=0.0).run(60)
    assert run.path[0] == "usual"
    assert "of the last 48 frames" in run.moves[0][1].reason or "of the last" in run.moves[0][1].reason
    assert len(run.moves) <= 3


def test_a_slow_drift_is_followed_one_way():
    run = Simulation(lambda now_s: 1.0 + now_s / 300).run(240)
    assert run.path == ["usual", "coarse"]
    assert run.share_over(0, 240) < 0.1


def test_a_noisy_load_at_the_edge_does_not_make_it_flutter():
    """An hour in which the load wanders around just the point where the settings part."""
    wander = random.Random(3)
    level = 1.3

    def load(_):
        nonlocal level
        level += 0.02 * (1.3 - level) + wander.gauss(0, 0.03)
        return max(level, 0.8)

    run = Simulation(load, noise=0.08).run(3600)
    assert len(run.moves) <= 40, [f"{at_s:.0f} {move.after}" for at_s, move in run.moves]
    assert run.share_over(0, 3600) < 0.1


def test_a_better_setting_that_is_slower_than_its_work_is_tried_ever_more_seldom():
    run = Simulation(lambda _: 1.0, target_ms=42, real={"coarse": 1.0, "usual": 1.8, "exact": 2.5}, start="coarse")
    run.run(1800)
    tries = [at_s for at_s, move in run.moves if move.after == "usual"]
    assert 2 <= len(tries) <= 9
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert gaps[-1] > 3 * gaps[0]
    assert run.share_over(0, 1800) < 0.01


def test_when_even_the_cheapest_is_too_slow_it_says_so_once():
    run = Simulation(step(10, 60, 3.0)).run(30)
    assert run.steering.setting == "coarse"
    assert run.steering.unfit
    assert run.steering.tell_unfit().reason.startswith("Even coarse does not keep the target: frames take ")
    run.run(70)
    assert not run.steering.unfit
    run.run(120)
    assert run.steering.setting == "exact"


def test_on_the_edge_of_what_the_cheapest_keeps_it_does_not_change_its_mind_with_every_frame():
    run = Simulation(lambda _: 50 / 28, noise=0.05)
    told, before = 0, False
    for tenth in range(10, 6000):
        run.run(tenth / 10)
        told += run.steering.unfit != before
        before = run.steering.unfit
    assert told <= 3


def test_a_setting_whose_engine_is_not_open_is_asked_for_and_waited_for():
    run = Simulation(lambda _: 1.0, start="coarse", ready=("coarse",)).run(30)
    assert run.moves == []
    assert set(run.wanted) == {"usual"}
    assert run.steering.limited_by(run.now_s) == "building"
    run.ready.add("usual")
    run.run(31)
    assert run.path == ["usual"]


def test_going_down_takes_what_is_open():
    run = Simulation(lambda _: 1.5, ready=("coarse", "exact")).run(10)
    assert run.path == ["coarse"]


def test_frames_begun_before_a_move_count_for_nothing():
    run = Simulation(lambda _: 1.0, start="usual")
    for _ in range(20):
        assert run.steering.note(Taken(1.0, "exact", 500.0, 400.0, 0.5)) is None


def test_another_target_is_followed_and_nothing_old_counts():
    run = Simulation(lambda _: 1.0).run(10)
    run.steering.aim(35.0)
    run.run(12)
    assert run.path == ["usual"]
    run.steering.aim(60.0)
    run.run(20)
    assert run.path == ["usual", "exact"]
    assert run.steering.limited_by(run.now_s) is None


def test_a_limit_is_obeyed_at_once_and_left_when_it_is_lifted():
    run = Simulation(lambda _: 1.0).run(5)
    move = run.steering.limit(0, "heat", "The machine is too hot (90 °C)", run.now_s)
    assert (move.before, move.after, move.cause) == ("exact", "coarse", "heat")
    run.run(30)
    assert run.path == []
    assert run.steering.limited_by(run.now_s) == "heat"
    assert run.steering.limit(2, "heat", "cool", run.now_s) is None
    run.run(60)
    assert run.path == ["usual", "exact"]


@pytest.mark.parametrize("seen", [1.1, 1.4, 100.0])
def test_measured_costs_are_believed_within_reason_and_fade(seen):
    costs = Costs(WORKS)
    costs.learn("coarse", "exact", seen, now_s=0.0)
    assert costs.ratio("coarse", "exact", 0.0) == pytest.approx(min(seen, 3.0))
    assert costs.ratio("exact", "coarse", 0.0) == pytest.approx(1 / min(seen, 3.0))
    assert costs.ratio("coarse", "exact", 3600.0) == pytest.approx(1.5, rel=1e-3)


def test_frames_that_waited_for_their_engine_to_open_count_for_nothing():
    run = Simulation(lambda _: 1.0, ready=("coarse",))
    slow = [Taken(5.0 + number / 100, "exact", 5000.0, 4000.0, 0.1) for number in range(10)]
    assert [run.steering.note(taken) for taken in slow[:3]] == [None] * 3
    run.ready.add("exact")
    assert [run.steering.note(taken) for taken in slow[3:]] == [None] * 7
    assert not run.steering.over
