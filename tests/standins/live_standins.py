"""Stand-ins for the live view: a camera of moving discs, and a segmenter that finds them by colour."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.live.crew import Crew
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.scale import LiveScale
from hemonode.runtime.live.status import RecorderStatus
from hemonode.runtime.segmentation import ModelUsed, Segmentation

CLASSES = (
    ClassRecord(id=0, name="background", colour_bgr=(0, 0, 0), countable=False),
    ClassRecord(id=1, name="white_cell", colour_bgr=(178, 114, 0), countable=True),
    ClassRecord(id=2, name="red_cell", colour_bgr=(0, 94, 213), countable=True),
    ClassRecord(id=3, name="platelet", colour_bgr=(115, 158, 0), countable=True),
)
USED = ModelUsed("discs", 64 * "0", "exact", "stand-in", "1.0", "fp32")
DISCS = ((1, 70, 60), (2, 38, 30), (2, 38, 36), (2, 38, 42), (2, 38, 24), (3, 9, 50))
"""(class id, radius in px, speed in px per frame)."""


class DiscCamera(Camera):
    """640×480 pictures of discs that drift; `fail_at` breaks it at that frame, `hang_at` never returns from it."""

    def __init__(self, rate_hz=60.0, fail_at=None, hang_at=None, frames=None, gap_at=None, first=0):
        self.name = self.identity = "moving discs"
        self.closed = threading.Event()
        self._period_s = 1 / rate_hz
        self._sequence = first
        self._fail_at, self._hang_at, self._frames, self._gap_at = fail_at, hang_at, frames, gap_at

    def read(self):
        number = self._sequence
        if number == self._frames:
            return None
        if number == self._fail_at:
            raise DeviceError("the cable was pulled")
        if number == self._hang_at:
            threading.Event().wait(60)
        if number == self._gap_at:
            self._sequence += 3
        time.sleep(self._period_s)
        frame = Frame(draw_discs(number), self._sequence, time.monotonic_ns())
        self._sequence += 1
        return frame

    def close(self):
        self.closed.set()


def draw_discs(number):
    pixels = np.full((480, 640, 3), 235, np.uint8)
    for index, (class_id, radius, speed) in enumerate(DISCS):
        centre = ((100 + 130 * index + speed * number // 10) % 640, 70 + 75 * index)
        cv2.circle(pixels, centre, radius, CLASSES[class_id].colour_bgr, -1)
    return pixels


class ColourSegmenter:
    """Finds the discs by their exact colour. `spent_s` is how long it takes."""

    def __init__(self, spent_s=0.004):
        self.spent_s = spent_s

    def measure_red_cell_px(self, pixels):  # noqa: ARG002
        return 76.0

    def give_up(self, thread):  # noqa: ARG002
        return True

    def segment(self, pixels, *, red_cell_px):
        time.sleep(self.spent_s)
        mask = np.zeros(pixels.shape[:2], np.uint8)
        cells = []
        for record in CLASSES[1:]:
            found = (pixels == record.colour_bgr).all(axis=2)
            mask[found] = record.id
            _, _, boxes, centres = cv2.connectedComponentsWithStats(found.astype(np.uint8))
            for (x, y, width, height, _), (cx, cy) in zip(boxes[1:], centres[1:], strict=True):
                inside = x + width < pixels.shape[1] and y + height < pixels.shape[0]
                cells.append(Cell(record.id, cx, cy, width, height, 1.0, bool(inside)))
        timings = {"preprocess": 1.0, "engine": 1e3 * self.spent_s, "count": 0.5}
        return Segmentation(mask, tuple(cells), red_cell_px, "given", USED, timings_ms=timings)


class Idle:
    """A part of a session that has nothing to do."""

    def start(self):
        pass

    def request_stop(self):
        pass

    def join(self, deadline_s):  # noqa: ARG002
        return True

    def pause(self):
        pass

    def status(self):
        return SimpleNamespace(state="off")

    def finish(self):
        pass

    def close(self):
        pass


class StandinSession:
    """A camera through the real capture and pipeline, started and stopped by the real session; nothing beside it."""

    def __init__(self, camera, reopen, segmenter, workers, scale):
        # Here: every test loads this file, few need the live view for it.
        from hemonode.runtime.live.capture import Capture
        from hemonode.runtime.live.events import EventLog
        from hemonode.runtime.live.mailbox import Mailbox
        from hemonode.runtime.live.pipeline import Pipeline
        from hemonode.runtime.live.session import LiveSession

        frames, self._faults = Mailbox(), FaultLog()
        self._capture = Capture(camera, lambda _: reopen(), frames, EventLog(), self._faults, "discs", "simulated")
        self._pipeline = Pipeline(frames, segmenter, Crew.of(workers), scale, lambda: (1, 2, 3), [], self._faults)
        idle = {name: Idle() for name in ("model", "host", "page", "tally", "recorder")}
        self._session = LiveSession(SimpleNamespace(capture=self._capture, pipeline=self._pipeline, **idle))

    def start(self):
        self._session.start()

    def stop(self):
        return self._session.stop()

    def condition(self):
        from hemonode.runtime.live.condition import Results, condition

        pipeline, recorder = self._pipeline, RecorderStatus("off", None, 0, 0, 0, 0, 0, None, False, None)
        results = Results(pipeline.results, pipeline.rate_hz(), None, None)
        return condition(self._capture.status(), recorder, results, self._faults.recent())

    def status(self):
        source = self._capture.status()
        return {
            **asdict(self.condition()),
            "source": asdict(source),
            "results": self._pipeline.results,
            "drops": {**self._pipeline.drops(), "missed": source.missed},
        }


def make_session(camera=None, segmenter=None, workers=2, scale=None, reopen=None):
    return StandinSession(
        camera or DiscCamera(),
        reopen or DiscCamera,
        segmenter or ColourSegmenter(),
        workers,
        scale or LiveScale(lambda: 7.5),
    )


def wait_until(true, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            pytest.fail("what the test waits for did not happen")
        time.sleep(0.01)


@pytest.fixture
def standins() -> SimpleNamespace:
    """The classes and functions of this file."""
    return SimpleNamespace(
        DiscCamera=DiscCamera,
        ColourSegmenter=ColourSegmenter,
        draw_discs=draw_discs,
        make_session=make_session,
        wait_until=wait_until,
    )
