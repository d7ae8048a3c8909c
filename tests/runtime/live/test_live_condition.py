"""What is said of the whole view: above all that an old picture is never called live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hemonode.runtime.live.condition import Results, condition
from hemonode.runtime.live.meters import Fault
from hemonode.runtime.live.status import RecorderStatus, SourceStatus

CAMERA = SourceStatus("discs", "Discs", "simulated", "running", 640, 480, 25.0, 0.04, 500, 0, 0, 0, 0)
RECORDER = RecorderStatus("recording", "1", 3, 3, 0, 0, 1, None, True, None)
FLOWING = Results(count=400, rate_hz=20.0, age_s=0.1, usual_s=0.08)
STOPPED = replace(FLOWING, rate_hz=0.0, age_s=7.0)


def judged(camera=CAMERA, recorder=RECORDER, results=FLOWING, faults=()):
    return condition(camera, recorder, results, list(faults))


def test_results_that_stopped_without_a_fault_are_told_and_what_is_shown_is_old():
    assert judged().state == "running"
    assert not judged().stale
    told = judged(results=STOPPED)
    assert (told.state, told.label, told.stale) == ("trouble", "No results", True)
    assert "What is shown is old" in told.message


@pytest.mark.parametrize(
    ("camera", "results"),
    [
        (replace(CAMERA, rate_hz=0.0, age_s=60.0), replace(STOPPED, age_s=60.1)),
        (CAMERA, replace(STOPPED, usual_s=4.0)),
        (CAMERA, Results(0, 0.0, None, None)),
    ],
    ids=["a picture a minute", "an engine that takes seconds", "before the first"],
)
def test_what_is_only_slow_is_not_called_stopped(camera, results):
    assert judged(camera, results=results).label != "No results"


@pytest.mark.parametrize("state", ["silent", "reopening"])
def test_without_a_camera_what_is_shown_is_old(state):
    assert judged(replace(CAMERA, state=state)).stale


def test_a_replay_that_ended_is_no_trouble():
    told = judged(replace(CAMERA, state="ended"), results=STOPPED)
    assert (told.state, told.stale) == ("ended", False)


def test_frames_that_fail_are_told_with_their_fault():
    told = judged(results=STOPPED, faults=[Fault("segmentation", "the graph gave no output", 3, 0)])
    assert (told.state, told.stale) == ("trouble", True)
    assert "the graph gave no output" in told.message
    assert judged(faults=[Fault("segmentation", "one of many failed", 1, 0)]).state == "running"


def test_a_scan_instead_of_a_camera_is_said_to_take_long_and_where_it_belongs():
    scan = replace(CAMERA, state="silent", width=12000, height=9000)
    told = judged(scan, results=Results(0, 0.0, None, None))
    assert told.state == "starting"
    assert "12000×9000" in told.message
    assert "hemonode run" in told.message
