"""A recorder on a folder of its own, and fields to keep in it."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from live_standins import wait_until

from hemonode.cli import main
from hemonode.device.frame import Frame
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.classes import BLOOD_CLASSES
from hemonode.runtime.counting.cells import Cell, tally
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.scale import Scale
from hemonode.runtime.record.facts import SessionFacts
from hemonode.runtime.record.recorder import Recorder
from hemonode.runtime.record.store import SessionStore
from hemonode.runtime.segmentation import ModelUsed, Segmentation
from hemonode.runtime.tally.field import CountedField

CLASSES = tuple(
    ClassRecord(id=entry.id, name=entry.name, colour_bgr=entry.colour_bgr, countable=entry.countable)
    for entry in BLOOD_CLASSES
)
USED = ModelUsed("first_light", 64 * "a", "tol1e-3", "openvino", "OpenVINO 2026.4", "bf16")
COUNTS = {1: 1, 2: 3, 3: 1}
"""In the counting frame of each field below; one more red cell is visible."""


def make_field(sequence=0, kind="tallied", *, note="", warnings=(), side=96, um_per_px=None, used=USED):
    """A field of six cells that are known."""
    places = [(1, 20, 20, True), (2, 60, 20, True), (2, 20, 60, True), (2, 60, 60, True), (2, 92, 60, False)]
    cells = [Cell(c, x, y, 16.0, 16.0, 0.9, inside) for c, x, y, inside in [*places, (3, 40, 80, True)]]
    pixels = np.random.default_rng(sequence).integers(0, 255, (side, side, 3), np.uint8)
    mask = np.zeros((side, side), np.uint8)
    for cell in cells:
        cv2.circle(mask, (int(cell.x), int(cell.y)), 8, cell.class_id, -1)
    counts = tally(cells, (1, 2, 3))
    found = Segmentation(mask, tuple(cells), 40.0, "estimated", used, (0.25, 0.5))
    frame = Frame(pixels, sequence, time.monotonic_ns(), um_per_px)
    result = Result(frame, found, Scale(40.0, "estimated"), counts, {"engine": 1.0}, 12.0)
    at = datetime.now(timezone.utc)
    position = (10.0 * sequence, 0.0) if kind == "tallied" else None
    return CountedField(kind, result, dict(counts.in_frame), at, position, 1.0, tuple(warnings), note)


def make_facts(name="Tuesday 3", **changes):
    facts = {"um_per_px": 0.1, "red_cell_px": 40.0, "settings": {"mode": "automatic", "target_ms": 40.0}} | changes
    return SessionFacts(name, "USB camera", "first_light", 64 * "a", "0.1.0", CLASSES, **facts)


@pytest.fixture
def record():
    """The functions of this file."""
    return SimpleNamespace(field=make_field, facts=make_facts, wait_until=wait_until, counts=COUNTS)


@pytest.fixture
def log():
    return EventLog()


@pytest.fixture
def recorders(tmp_path, log):
    """Makes recorders on `tmp_path/store`, which are stopped in the end."""
    made = []

    def make(folder=tmp_path / "store", *, reserve_bytes=0, **options):
        recorder = Recorder(folder, log, FaultLog(), reserve_bytes=reserve_bytes, **options)
        log.listen(recorder.note)
        made.append(recorder)
        return recorder

    yield make
    for recorder in made:
        recorder.request_stop()
        recorder.join(time.monotonic() + 5)


@pytest.fixture
def recorder(recorders):
    """One that runs."""
    made = recorders()
    made.start()
    return made


@pytest.fixture
def kept(record):
    """Keeps a field and waits until it is written; returns its id."""

    def keep(recorder, field=None, *, picture=False):
        number = recorder.keep(record.field() if field is None else field, picture=picture)
        record.wait_until(lambda: recorder.status().waiting == 0)
        return number

    return keep


@pytest.fixture
def stop():
    """Stops a recorder as a live view does, and says whether all was written."""

    def stopped(recorder):
        recorder.request_stop()
        return recorder.join(time.monotonic() + 5)

    return stopped


@pytest.fixture
def finished_session(recorders, record, kept, stop, tmp_path):
    """(store, id) of a session of three fields, two of them with pictures, written and closed."""
    recorder = recorders()
    recorder.start()
    session = recorder.begin(record.facts())
    kept(recorder, record.field(1), picture=True)
    kept(recorder, record.field(2, warnings=("out of focus",)), picture=True)
    kept(recorder, record.field(3, note="=1+1"), picture=False)
    recorder.finish()
    assert stop(recorder)
    return SessionStore(tmp_path / "store"), session


@pytest.fixture
def sessions(monkeypatch, capsys, tmp_path):
    """`sessions("list")` is `hemonode sessions list` on that store, in `tmp_path`: (status, output, errors)."""

    def command(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HEMONODE_SESSIONS", str(tmp_path / "store"))
        monkeypatch.setattr("sys.argv", ["hemonode", "sessions", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        return (status, *capsys.readouterr())

    return command
