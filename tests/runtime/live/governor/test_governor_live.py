"""The governor through the real pipeline: it holds the target, runs doubtful frames again, and the log says why."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace

import pytest

from hemonode.device.frame import Frame
from hemonode.errors import UnknownNameError
from hemonode.runtime.live.crew import Crew
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.governor import Governor, pauses, steering
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.model import LiveModel
from hemonode.runtime.live.pipeline import Pipeline
from hemonode.runtime.live.scale import LiveScale, Scale
from hemonode.runtime.live.status import HostStatus
from hemonode.runtime.live.view import SolverWish

COOL = HostStatus({}, 50.0, 90.0, "30W", None)
FEW, MANY = [(2, 60.0, 60.0, 40.0)], [(2, 30.0 + 42 * (i % 4), 30.0 + 42 * (i // 4), 40.0) for i in range(12)]


class Host:
    """A machine whose state a test chooses."""

    now = COOL

    def status(self):
        return self.now


@pytest.fixture
def view(paced, ladder_bundle, draw_cells, monkeypatch):
    """A real model, governor and pipeline on the paced engine; `run_until` feeds frames of `pixels`."""
    # Users wait longer than a test.
    monkeypatch.setattr(steering, "HOLD_S", 0.5)
    monkeypatch.setattr(pauses, "FIRST_S", 1.0)
    log, host, running = EventLog(), Host(), []
    faults = FaultLog(log)

    def start(wish):
        setting = wish.setting if wish.mode == "fixed" else None
        model = LiveModel(
            ladder_bundle, bundle_id="a", engine="auto", setting=setting, precision="fp32", cores=1, log=log,
            faults=faults, tell=print,
        )  # fmt: skip
        governor = Governor(model, log, host, wish)
        frames, results = Mailbox(), []
        collector = SimpleNamespace(name="collector", accept=results.append)
        scale = LiveScale(lambda: 7.5, Scale(40.0, "given"))
        pipeline = Pipeline(frames, governor, Crew.of(1), scale, lambda: (1, 2, 3), [governor, collector], faults)
        pipeline.start()
        state = SimpleNamespace(
            model=model, governor=governor, pipeline=pipeline, results=results, pixels=draw_cells(150, 200, FEW)
        )
        running.append(state)

        def run_until(true, timeout_s=40.0):
            until, number = time.monotonic() + timeout_s, 0
            while not true():
                assert time.monotonic() < until, [event.message for event in log.after()]
                number += 1
                frames.put(Frame(state.pixels, number, time.monotonic_ns()))
                time.sleep(0.004)

        def run_frames(count):
            goal = len(results) + count
            run_until(lambda: len(results) >= goal)

        state.run_until, state.run_frames = run_until, run_frames
        return state

    yield SimpleNamespace(start=start, log=log, host=host)
    for state in running:
        state.pipeline.request_stop()
        state.model.request_stop()
        assert state.pipeline.join(time.monotonic() + 20)
        assert state.model.join(time.monotonic() + 20)
        state.model.close()


def moves(view):
    return [event for event in view.log.after() if event.kind == "governor" and " from " in event.message]


def test_under_a_load_the_target_holds_and_the_setting_steps_down_and_back(view, paced):
    paced.ms = {"coarse": 40.0, "usual": 60.0, "exact": 80.0}
    state = view.start(SolverWish("automatic", target_ms=150.0))
    governor = state.governor
    state.run_until(lambda: governor.status().setting == "exact")
    paced.load = 2.0
    state.run_until(lambda: governor.status().setting != "exact")
    state.run_until(lambda: governor.status().limited_by == "load")
    state.run_frames(20)
    # Of the frames that began after the move none but chance ones are above the target.
    late = [result.latency_ms > 150 for result in state.results[-12:]]
    assert sum(late) <= 4
    paced.load = 1.0
    view_moves = len(moves(view))
    state.run_until(lambda: governor.status().setting == "exact")
    assert len(moves(view)) > view_moves
    down = next(event for event in moves(view) if event.details["cause"] == "load")
    assert "of the last" in down.message
    assert "above 150 ms: from exact to" in down.message
    up = moves(view)[-1]
    assert up.details["cause"] == "room"
    assert "within 150 ms" in up.message
    assert governor.status().reason == up.message
    assert governor.status().moves == len(moves(view))


def test_a_frame_whose_error_calibration_never_saw_runs_on_the_next_better_setting(view, paced, draw_cells):
    paced.ms = dict.fromkeys(paced.ms, 2.0)
    state = view.start(SolverWish("fixed", setting="usual"))
    state.run_until(lambda: all(state.model.ready(name) for name in ("usual", "exact")))
    state.governor.wish(SolverWish("automatic", target_ms=10_000.0))
    state.governor._steering.limit(1, "heat", "held on usual", time.monotonic())
    state.run_frames(5)
    assert state.governor.status().stepped_up == 0
    assert not state.governor.status().error.outside
    state.pixels = draw_cells(150, 200, MANY)
    state.run_until(lambda: state.governor.status().stepped_up >= 1)
    before = len(state.results), state.governor.status().stepped_up
    state.run_frames(60)
    frames, again = len(state.results) - before[0], state.governor.status().stepped_up - before[1]
    assert 1 <= again <= math.ceil(0.1 * frames) + 3, "bounded, for an error that stays"
    settings = {result.segmentation.model.setting for result in state.results[before[0] :]}
    assert settings == {"usual", "exact"}
    status = state.governor.status()
    assert status.error.outside
    (block,) = status.error.blocks
    assert (block.position, block.largest, block.usual) == (5, 1.0, 0.5)
    assert block.estimate > 1
    (event,) = [event for event in view.log.after() if "ran again" in event.message]
    assert "1 frame ran again on exact: on usual block 5 reported an error of" in event.message
    assert event.details["largest"] == 1.0


def test_a_fixed_setting_is_taken_when_its_engine_is_there_and_never_left(view, paced, draw_cells):
    state = view.start(SolverWish("fixed", setting="coarse"))
    state.run_frames(5)
    assert {result.segmentation.model.setting for result in state.results} == {"coarse"}
    state.governor.wish(SolverWish("fixed", setting="exact"))
    state.run_until(lambda: state.results[-1].segmentation.model.setting == "exact")
    paced.load, state.pixels = 30.0, draw_cells(150, 200, MANY)
    state.run_frames(6)
    status = state.governor.status()
    assert (status.mode, status.setting, status.limited_by) == ("fixed", "exact", None)
    assert status.stepped_up == 0
    with pytest.raises(UnknownNameError, match="coarse, usual, exact"):
        state.governor.wish(SolverWish("fixed", setting="fastest"))
    assert state.governor.status().setting == "exact"


def test_the_ladder_is_told_with_what_each_setting_costs(view):
    state = view.start(SolverWish("automatic", target_ms=1000.0))
    state.run_until(lambda: all(rung.ready for rung in state.governor.status().rungs))
    state.run_frames(3)
    rungs = {rung.setting: rung for rung in state.governor.status().rungs}
    assert [rung.evaluations for rung in rungs.values()] == [7, 7, 7]
    assert all(rung.estimates and rung.tolerance == 1e-3 for rung in rungs.values())
    assert rungs["coarse"].engine_ms < rungs["usual"].engine_ms
    assert state.governor.status().memory_bytes is not None


def test_a_hot_machine_steps_down_says_so_and_returns_when_it_is_cool(view, monkeypatch):
    monkeypatch.setattr("hemonode.runtime.live.governor.machine.EVERY_S", 0.05)
    monkeypatch.setattr("hemonode.runtime.live.governor.heat.COOL_FOR_S", 0.2)
    state = view.start(SolverWish("automatic", target_ms=1000.0))
    state.run_until(lambda: state.governor.status().setting == "exact")
    view.host.now = HostStatus({}, 92.0, 90.0, "30W", None)
    state.run_until(lambda: state.governor.status().setting == "usual")
    assert state.governor.status().limited_by == "heat"
    assert "too hot (92 °C, 90 °C are its limit): from exact to usual" in moves(view)[-1].message
    view.host.now = COOL
    state.run_until(lambda: state.governor.status().setting == "exact")
    assert state.governor.status().limited_by is None


def test_a_change_of_the_power_mode_is_told_and_everything_measured_anew(view, monkeypatch, paced):
    monkeypatch.setattr("hemonode.runtime.live.governor.machine.EVERY_S", 0.05)
    state = view.start(SolverWish("automatic", target_ms=150.0))
    state.run_until(lambda: state.governor.status().setting == "exact")
    view.host.now, paced.load = HostStatus({}, 50.0, 90.0, "15W", None), 12.0
    state.run_until(lambda: state.governor.status().limited_by == "power")
    assert any("power mode is now 15W, it was 30W" in event.message for event in view.log.after())


def test_another_bundle_begins_on_its_own_default(view, colour_bundle):
    state = view.start(SolverWish("fixed", setting="exact"))
    state.run_frames(3)
    state.model.change("b", lambda: colour_bundle)
    state.run_until(lambda: state.results and state.results[-1].segmentation.model.bundle == "colours")
    status = state.governor.status()
    assert (status.mode, [rung.setting for rung in status.rungs]) == ("automatic", ["euler-1", "rk4-1"])
    assert any("lacks the setting that was asked for" in event.message for event in view.log.after())
