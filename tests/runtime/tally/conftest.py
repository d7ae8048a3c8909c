"""A slide with known cells, and views of it as results of the live pipeline."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hemonode.device.frame import Frame
from hemonode.device.smear import render_view
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.counting.cells import Cell, tally
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.scale import Scale
from hemonode.runtime.segmentation import Segmentation
from hemonode.runtime.tally.landmarks import Landmarks
from hemonode.runtime.tally.ledger import Goal
from hemonode.runtime.tally.quality import Quality
from hemonode.runtime.tally.shot import Shot
from hemonode.runtime.tally.survey import Survey

RED_CELL_PX = 40.0
SIZE = (240, 320)
CLASSES = (
    ClassRecord(id=0, name="background", colour_bgr=(0, 0, 0), countable=False),
    ClassRecord(id=1, name="white_cell", colour_bgr=(178, 114, 0), countable=True),
    ClassRecord(id=2, name="red_cell", colour_bgr=(0, 94, 213), countable=True),
    ClassRecord(id=3, name="platelet", colour_bgr=(115, 158, 0), countable=True),
)


class Slide:
    """A large picture under a small view; each view has noise of its own."""

    def __init__(self, seed=4, height=760, width=1100):
        self.view = render_view(seed=seed, height=height, width=width, red_cell_px=RED_CELL_PX, white_cells_per_view=1)
        self.cells = self.view.cells
        self._rng = np.random.default_rng(seed)

    def pixels(self, x, y, gain=1.0, blur_px=0.0):
        part = self.view.pixels[y : y + SIZE[0], x : x + SIZE[1]]
        if blur_px:
            part = cv2.GaussianBlur(part, (0, 0), blur_px)
        return np.clip(gain * part + self._rng.normal(0, 2, part.shape), 0, 255).astype(np.uint8)

    def shot(self, x, y, **changes):
        cells = self.result(x, y).segmentation.cells
        return Shot.of(self.pixels(x, y, **changes), RED_CELL_PX, Landmarks.of(cells))

    def result(self, x, y, number=0, rate_hz=10.0, red_cell_px=RED_CELL_PX, **changes):
        cells = []
        for cell in self.cells:
            cx, cy = cell.x - x, cell.y - y
            if 0 <= cx < SIZE[1] and 0 <= cy < SIZE[0]:
                cells.append(Cell(cell.class_id, cx, cy, cell.box[2], cell.box[3], 1.0, in_frame=True))
        mask = self.view.class_ids[y : y + SIZE[0], x : x + SIZE[1]]
        segmentation = Segmentation(mask, tuple(cells), red_cell_px, "given")
        frame = Frame(self.pixels(x, y, **changes), number, int(number / rate_hz * 1e9))
        counts = tally(cells, (1, 2, 3))
        return Result(frame, segmentation, Scale(red_cell_px, "given"), counts, {}, 0.0)


class Tally:
    """A survey that looks at results as the keeper lets it."""

    def __init__(self, **survey):
        self.fields = []
        self.log = EventLog()
        self.quality = Quality(CLASSES)
        asked = {"counted": {}, "fields": 0.0, "keep": self.fields.append, "log": self.log, **survey}
        self.survey = Survey("sample", CLASSES, Goal(1, 10.0), **asked)
        self.number = 0

    def see(self, result):
        self.survey.consider(result, self.quality.judge(result))
        return self.survey.status().state

    def look(self, slide, *corners, times=1, **changes):
        """See the slide at each corner; gives the states."""
        states = []
        for x, y in corners:
            for _ in range(times):
                states.append(self.see(slide.result(x, y, self.number, **changes)))
                self.number += 1
        return states

    @property
    def counted(self):
        return {entry.id: entry.counted for entry in self.survey.status().classes}


@pytest.fixture(scope="session")
def slide():
    return Slide()


@pytest.fixture(scope="session")
def other_slide():
    return Slide(seed=9, height=400, width=500)


@pytest.fixture
def new_tally():
    return Tally


@pytest.fixture
def classes():
    return CLASSES


@pytest.fixture
def known():
    return SimpleNamespace(red_cell_px=RED_CELL_PX, size=SIZE)
