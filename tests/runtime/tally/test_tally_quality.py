"""A view in which cells cannot be judged is not counted, and the page says why and what to do."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.device.frame import Frame
from hemonode.runtime.live.scale import Scale
from hemonode.runtime.tally.quality import Quality

DATA = Path(os.environ.get("HEMONODE_DATA", "../shared/data"))
# Files, and the red-cell diameter of that set in px.
REAL = (("bccd/images", 90.0), ("bcisc/fields", 126.0))


def with_pixels(result, pixels, red_cell_px=None):
    scale = result.scale if red_cell_px is None else Scale(red_cell_px, "given")
    return replace(result, frame=Frame(pixels, 0, 0), scale=scale)


def failed(status):
    return [gate.name for gate in status.gates if not gate.ok]


@pytest.fixture
def judge(classes, slide):
    """The gates that a picture does not pass, the slide's own or what `change` makes of it."""

    def judge(change=lambda pixels: pixels, **where):
        result = slide.result(where.get("x", 300), where.get("y", 200))
        return Quality(classes).judge(with_pixels(result, change(result.frame.pixels)))

    return judge


def test_a_good_view_passes(judge):
    status = judge()
    assert status.ok
    assert [gate.advice for gate in status.gates] == [None] * 4


def smear(pixels, angle_deg):
    kernel = np.zeros((21, 21), np.float32)
    reach = 9 * np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    cv2.line(kernel, tuple(np.rint(10 - reach).astype(int)), tuple(np.rint(10 + reach).astype(int)), 1.0)
    return cv2.filter2D(pixels, -1, kernel / kernel.sum())


@pytest.mark.parametrize(
    ("change", "gate", "advice"),
    [
        (lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 4), "focus", "focus"),
        (lambda pixels: smear(pixels, 0), "focus", "rest"),
        (lambda pixels: smear(pixels, 60), "focus", "rest"),
        (lambda pixels: (pixels * 0.3).astype(np.uint8), "exposure", "dark"),
        (lambda pixels: np.clip(pixels * 1.9, 0, 255).astype(np.uint8), "saturation", "burnt out"),
    ],
)
def test_a_bad_picture_is_refused_with_advice(judge, change, gate, advice):
    status = judge(change)
    assert failed(status)[0] == gate
    assert advice in next(entry.advice for entry in status.gates if not entry.ok)


def test_bare_glass_is_empty_not_blurred(classes, slide):
    result = slide.result(300, 200)
    glass = np.random.default_rng(0).normal(210, 2, result.frame.pixels.shape).astype(np.uint8)
    empty = replace(result.segmentation, cells=())
    assert failed(Quality(classes).judge(with_pixels(replace(result, segmentation=empty), glass))) == ["emptiness"]


def test_a_black_picture_is_called_dark(judge):
    assert failed(judge(lambda pixels: 0 * pixels))[0] == "exposure"


def test_a_wrong_scale_is_told_after_some_pictures(classes, slide):
    quality = Quality(classes)
    result = slide.result(300, 200)
    wrong = replace(result, scale=Scale(20.0, "given"))
    for _ in range(7):
        assert "scale" not in failed(quality.judge(wrong))
    told = quality.judge(wrong)
    assert "scale" in failed(told)
    assert "measure the scale" in next(gate.advice for gate in told.gates if gate.name == "scale")
    for _ in range(8):
        last = quality.judge(result)
    assert failed(last) == []


def test_the_focus_bar_shows_the_share_of_the_sharpest_view(classes, slide):
    quality = Quality(classes)
    sharp = slide.result(300, 200)
    assert quality.judge(sharp).focus_share == 1.0
    soft = quality.judge(with_pixels(sharp, cv2.GaussianBlur(sharp.frame.pixels, (0, 0), 3))).focus_share
    assert 0.2 < soft < 0.8
    quality.forget()
    assert quality.judge(with_pixels(sharp, cv2.GaussianBlur(sharp.frame.pixels, (0, 0), 3))).focus_share == 1.0


def test_a_blurred_view_is_not_tallied_until_it_is_sharp(slide, new_tally):
    tally = new_tally()
    assert tally.look(slide, (300, 200), times=3, blur_px=4) == ["refused"] * 3
    status = tally.survey.status()
    assert (status.cells, status.refused) == (0, {"focus": 3})
    assert "blurred" in status.message
    assert tally.look(slide, (300, 200)) == ["counting"]
    assert tally.survey.status().cells > 0


def test_a_move_while_blurred_is_followed(slide, new_tally):
    tally = new_tally()
    tally.look(slide, (300, 200))
    tally.look(slide, (340, 200), (400, 200), (460, 200), blur_px=4)
    tally.look(slide, (520, 200))
    assert tally.fields[-1].position_px == pytest.approx((220, 0), abs=2)


@pytest.mark.parametrize(("folder", "red_cell_px"), REAL)
def test_real_pictures_pass_and_spoilt_ones_do_not(classes, slide, folder, red_cell_px):
    paths = sorted((DATA / folder).glob("*.jpg"))[::40][:5]
    if not paths:
        pytest.skip(f"no pictures in {DATA / folder}; set HEMONODE_DATA to the folder that holds {folder}")
    judge = Quality(classes).judge
    result = slide.result(300, 200)
    for path in paths:
        pixels = cv2.imread(str(path))
        blurred = cv2.GaussianBlur(pixels, (0, 0), 0.1 * red_cell_px)
        names = {
            "as taken": failed(judge(with_pixels(result, pixels, red_cell_px))),
            "blurred": failed(judge(with_pixels(result, blurred, red_cell_px))),
            "dark": failed(judge(with_pixels(result, (pixels * 0.3).astype(np.uint8), red_cell_px))),
        }
        gates = {name: [gate for gate in found if gate in ("focus", "exposure")] for name, found in names.items()}
        assert gates == {"as taken": [], "blurred": ["focus"], "dark": ["exposure"]}
