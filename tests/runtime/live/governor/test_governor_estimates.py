"""A reported solver error is judged against what calibration saw; what is no number is never taken for small."""

from __future__ import annotations

import math

import pytest

from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.governor.estimates import DRIFT_FRAMES, EXTRA_SHARE, ExtraRuns, Judge, worst
from hemonode.runtime.live.governor.heat import COOL_FOR_S, STEP_S, HeatLimit
from hemonode.runtime.live.governor.second import SecondRuns
from hemonode.runtime.live.status import HostStatus
from hemonode.runtime.segmentation import ModelUsed, Segmentation


@pytest.fixture
def setting(ladder_bundle):
    usual = ladder_bundle.setting("usual")
    block = usual.estimates[0]
    estimates = (block, block.model_copy(update={"position": 6, "largest": 2.0, "p99": 1.5}))
    return usual.model_copy(update={"estimates": estimates})


@pytest.mark.parametrize(
    ("errors", "outside"),
    [((0.9, 1.9), False), ((1.0, 2.0), False), ((1.1, 0.1), True), ((0.1, 2.1), True), ((math.nan, 0.1), True)],
)
def test_any_block_beyond_the_largest_ever_seen_is_outside(setting, errors, outside):
    judged = Judge(setting).judge(errors)
    assert judged.outside is outside
    assert [block.usual for block in judged.blocks] == [0.5, 1.5], "the highest percentile that is known"


def test_the_block_farthest_beyond_is_named(setting):
    assert worst(Judge(setting).judge((2.9, 8.0))).position == 6
    assert worst(Judge(setting).judge((math.nan, 8.0))).position == 5


@pytest.mark.parametrize("errors", [None, (1.0,), (1.0, 1.0, 1.0)])
def test_without_errors_or_with_others_than_the_bundles_nothing_is_judged(setting, errors):
    assert Judge(setting).judge(errors) is None


def test_pictures_of_another_kind_are_noticed_and_told_once(setting):
    log = EventLog()
    second = SecondRuns((setting,), log)
    used = ModelUsed("ladder", "0", "usual", "paced", "1", "fp32")
    for number in range(2 * DRIFT_FRAMES):
        second.outside(Segmentation(None, (), 40.0, "given", used, (0.1, 1.6)), now_s=number / 30)
    (event,) = log.after()
    assert "of another kind" in event.message


def test_frames_that_run_twice_are_a_share_of_all():
    extra, again = ExtraRuns(), 0
    for _ in range(1000):
        extra.frame()
        again += extra.take()
    assert again == pytest.approx(1000 * EXTRA_SHARE, abs=3)


def hot(celsius, throttled_by=()):
    return HostStatus({}, celsius, 90.0, None, None, throttled_by)


def test_heat_goes_down_step_by_step_and_back_when_it_has_been_cool_for_a_while():
    heat = HeatLimit(2)
    assert heat.note(2, hot(85), 0.0) is None
    assert "90 °C" in heat.note(2, hot(90), 1.0)
    assert heat.ceiling == 1
    assert heat.note(1, hot(91), 2.0) is None, "metal cools slowly"
    assert heat.note(1, hot(91), 1.0 + STEP_S) is not None
    assert heat.ceiling == 0
    assert heat.note(0, hot(99), 99.0) is None, "there is nothing below"
    for now_s in (100.0, 105.0):
        assert heat.note(0, hot(87), now_s) is None, "below the limit, and not yet cool"
    assert heat.note(0, hot(80), 110.0) is None
    assert heat.note(0, hot(80), 110.0 + COOL_FOR_S) is not None
    assert heat.ceiling == 1


def test_a_machine_that_says_itself_that_it_is_slowed_down_for_heat_is_believed():
    heat = HeatLimit(1)
    assert heat.note(1, HostStatus({}, None, None, None, None, ("heat",)), 0.0) is not None
    assert heat.note(0, HostStatus({}, None, None, None, None), 1.0) is None
    assert heat.note(0, HostStatus({}, None, None, None, None), 1.0 + COOL_FOR_S) is not None
    assert HeatLimit(1).note(1, hot(50, ("power",)), 0.0) is None
