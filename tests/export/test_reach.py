"""The measured reach is how far a network really looks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hemonode.errors import ExportError
from hemonode.export.reach import measure_reach
from hemonode.runtime.prediction import Prediction


class Blur:
    """Stands in for a graph: class ids at twice the size from the mean brightness within `radius` pixels."""

    def __init__(self, radius):
        self.side = 2 * radius + 1

    def predict(self, frame):
        mean = cv2.blur(frame.pixels.astype(np.float32).mean(axis=2), (self.side, self.side))
        class_ids = (mean > mean.mean()).astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
        return Prediction(class_ids[None], np.zeros((1, 1024, 4), np.float32))


class FixedBlur(Blur):
    """The same against a constant, as a network without a global mean does."""

    def predict(self, frame):
        mean = cv2.blur(frame.pixels.astype(np.float32).mean(axis=2), (self.side, self.side))
        class_ids = (mean > 128).astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
        return Prediction(class_ids[None], np.zeros((1, 1024, 4), np.float32))


@pytest.mark.parametrize(("radius", "reach"), [(0, 0), (16, 16), (24, 32)])
def test_the_reach_is_measured_and_rounded_up_to_the_stride(make_frame, radius, reach):
    frames = [make_frame(192, 256, seed=1), make_frame(208, 224, seed=2)]
    assert measure_reach(FixedBlur(radius), frames, stride=16) == reach


def test_a_network_that_looks_everywhere_is_refused(make_frame):
    with pytest.raises(ExportError, match="reaches further"):
        measure_reach(Blur(0), [make_frame(128, 128, seed=1), make_frame(128, 128, seed=2)], stride=16)


def test_one_picture_is_too_few(make_frame):
    with pytest.raises(ExportError, match="two pictures"):
        measure_reach(FixedBlur(1), [make_frame()], stride=16)
