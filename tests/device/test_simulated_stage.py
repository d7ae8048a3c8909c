"""The simulated stage: a smooth scan with pauses that crosses new ground, and goes where it is sent."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.device.camera import open_camera
from hemonode.device.stage.simulated import MOVE_S, PAUSE_S, SimulatedStage
from hemonode.errors import DeviceError


def test_the_scan_moves_smoothly_and_pauses():
    stage = SimulatedStage()
    places = np.array([stage.position_um(t / 25) for t in range(25 * 240)])
    steps_um = np.hypot(*np.diff(places, axis=0).T)
    assert steps_um.max() < 0.5
    assert (steps_um == 0).mean() == pytest.approx(PAUSE_S / (MOVE_S + PAUSE_S), abs=0.02)


def test_the_scan_crosses_new_ground_in_rows():
    stage = SimulatedStage()
    stops = [stage.position_um(k * (MOVE_S + PAUSE_S)) for k in range(60)]
    assert len(set(stops)) == 60
    assert len({y for _, y in stops}) > 3


def test_a_stage_that_was_sent_somewhere_stays_there_until_it_scans_again():
    stage = SimulatedStage()
    stage.move_to(123.0, -45.0)
    assert stage.position_um(0.0) == stage.position_um(99.0) == (123.0, -45.0)
    stage.scan()
    assert stage.position_um(3.0) != (123.0, -45.0)


@pytest.mark.parametrize("place", [(2e6, 0.0), (0.0, -2e6), (float("nan"), 0.0)])
def test_a_place_beyond_the_limits_is_refused_and_nothing_moves(place):
    stage = SimulatedStage()
    stage.move_to(1.0, 2.0)
    with pytest.raises(DeviceError, match="cannot go to"):
        stage.move_to(*place)
    assert stage.position_um(0.0) == (1.0, 2.0)


def test_the_camera_shows_where_the_stage_is():
    with open_camera("simulated:seed=3", rate_hz=500) as camera:
        camera.stage.move_to(200.0, 100.0)
        still = [camera.read_with_truth()[1] for _ in range(2)]
        camera.stage.move_to(205.0, 100.0)
        moved = camera.read_with_truth()[1]
    assert np.array_equal(still[0].class_ids, still[1].class_ids)
    assert np.array_equal(still[0].class_ids[:, 60:], moved.class_ids[:, :-60])
