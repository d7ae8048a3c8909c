"""The simulated microscope's camera: options for slide, stage and settings, and what controls do to a picture."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.device.camera import open_camera
from hemonode.errors import DeviceError

FAST_HZ = 500.0
SMALL = "simulated:seed=3,width=320,height=240,red_cell_px=45"


def mean(camera):
    return camera.read().pixels.mean(axis=(0, 1))


def sharpness(camera):
    grey = camera.read().pixels.mean(axis=2)
    return np.abs(np.diff(grey, axis=1)).mean()


@pytest.fixture
def camera():
    with open_camera(f"{SMALL},x_um=0", rate_hz=FAST_HZ) as camera:
        yield camera


@pytest.mark.parametrize(
    "options",
    [
        "sead=3",
        "seed",
        "seed=",
        "seed=x",
        "rate=fast",
        "stain=green",
        "white_cells=50",
        "width=8",
        "height=9999",
        "red_cell_px=1",
        "x_um=1e9",
        "pan_x_um_s=nan",
        "exposure_ms=0",
        "z_um=99",
        "seed=1,seed=2",
    ],
)
def test_a_wrong_option_is_refused(options):
    with pytest.raises(DeviceError, match=r"has no option|needs a|no stain|cannot take|cannot go to|twice"):
        open_camera(f"simulated:{options}")


def test_the_options_choose_the_smear():
    views = []
    for source in ("simulated:seed=3,stain=pink", "simulated:seed=3,stain=teal", "simulated:seed=4,stain=pink"):
        with open_camera(source, rate_hz=FAST_HZ) as camera:
            views.append(camera.read_with_truth()[1])
    assert views[0].pixels.mean() > views[1].pixels.mean() + 20
    assert not np.array_equal(views[0].class_ids, views[2].class_ids)


def test_opening_again_gives_the_same_pictures():
    seen = []
    for _ in range(2):
        with open_camera(SMALL, rate_hz=FAST_HZ) as camera:
            seen.append([camera.read().pixels for _ in range(3)])
    assert all(np.array_equal(a, b) for a, b in zip(*seen, strict=True))


def test_size_and_scale_are_as_asked():
    with open_camera(SMALL, rate_hz=FAST_HZ) as camera:
        frame = camera.read()
    assert frame.pixels.shape == (240, 320, 3)
    assert frame.um_per_px == pytest.approx(7.5 / 45)


def test_a_pan_moves_the_slide_steadily():
    # 6 px a frame at 25 frames a second.
    with open_camera(f"{SMALL},x_um=100,y_um=50,pan_x_um_s=25,rate=25") as camera:
        views = [camera.read_with_truth()[1].class_ids for _ in range(3)]
    assert np.array_equal(views[0][:, 6:], views[1][:, :-6])
    assert np.array_equal(views[0][:, 12:], views[2][:, :-12])


def test_the_stage_stays_where_the_options_put_it(camera):
    first, second = camera.read_with_truth()[1], camera.read_with_truth()[1]
    assert np.array_equal(first.class_ids, second.class_ids)


def test_a_longer_exposure_is_brighter_until_it_saturates(camera):
    usual = mean(camera)
    camera.set_control("exposure_ms", value=10)
    assert mean(camera) == pytest.approx(usual / 2, rel=0.03)
    camera.set_control("exposure_ms", value=60)
    assert (camera.read().pixels == 255).mean() > 0.6
    camera.set_control("exposure_ms", value=0.1)
    assert mean(camera).max() < 5


def test_gain_for_light_costs_noise(camera):
    def look():
        pictures = np.stack([camera.read().pixels for _ in range(8)]).astype(float)
        return pictures.mean(), pictures.std(axis=0).mean()

    light, noise = look()
    camera.set_control("exposure_ms", value=5)
    camera.set_control("gain_db", value=12)
    assert look() == (pytest.approx(light, rel=0.03), pytest.approx(2 * noise, rel=0.2))


def test_automatic_exposure_makes_up_for_the_gain(camera):
    usual = mean(camera)
    camera.set_control("exposure_ms", automatic=True)
    camera.set_control("gain_db", value=6)
    assert mean(camera) == pytest.approx(usual, rel=0.03)
    exposure = camera.controls()[0]
    assert (exposure.value, exposure.changeable) == (pytest.approx(10, abs=0.1), False)


def test_white_balance_goes_from_blue_to_red(camera):
    camera.set_control("white_balance_k", value=3000)
    cold = mean(camera)
    camera.set_control("white_balance_k", value=7000)
    warm = mean(camera)
    assert warm[2] / warm[0] > 1.5 * cold[2] / cold[0]


def test_focus_blurs_and_follows_the_stage(camera):
    sharp = sharpness(camera)
    camera.set_control("z_um", value=6)
    assert camera.stage.z_um == 6
    assert sharpness(camera) < 0.8 * sharp
    camera.stage.z_um = 0.5
    assert {control.name: control.value for control in camera.controls()}["z_um"] == 0.5


def test_controls_may_be_set_by_options():
    with open_camera(f"{SMALL},exposure_ms=12.5,gain_db=3,z_um=-2", rate_hz=FAST_HZ) as camera:
        assert [control.value for control in camera.controls()] == [12.5, 3.0, 5000.0, -2.0]
