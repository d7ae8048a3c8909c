"""The live model opens its ladder beside the frames, and changes its bundle in flight; a bad bundle changes nothing."""

from __future__ import annotations

import shutil
import sys
import threading
import time

import pytest

from hemonode.errors import BundleError, EngineError, HemonodeError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.bundle.writer import write_manifest
from hemonode.runtime.live import ladder
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.model import LiveModel


@pytest.fixture
def log():
    return EventLog()


@pytest.fixture
def open_model(log):
    opened = []

    def start(bundle, setting=None):
        model = LiveModel(
            bundle, bundle_id="first", engine="auto", setting=setting, precision="fp32", cores=2, log=log,
            faults=FaultLog(log), tell=print,
        )  # fmt: skip
        opened.append(model)
        return model

    yield start
    for model in opened:
        model.request_stop()
        assert model.join(time.monotonic() + 20)
        model.close()


@pytest.fixture
def pixels(draw_cells):
    return draw_cells(150, 200, [(2, 60.0, 60.0, 40.0), (2, 120.0, 90.0, 40.0)])


@pytest.fixture
def frames_flow(pixels):
    """Two threads that segment without a pause, as the pipeline's workers do; `found` is what they got."""
    stop, threads, failures, found = threading.Event(), [], [], []

    def work(model):
        while not stop.is_set():
            try:
                found.append(model.segment(pixels, red_cell_px=40.0))
            except Exception as error:
                failures.append(error)

    def start(model):
        for _ in range(2):
            threads.append(threading.Thread(target=work, args=(model,), daemon=True))
            threads[-1].start()
        return found

    yield start
    stop.set()
    for thread in threads:
        thread.join(20)
    assert failures == []


def test_the_default_setting_is_opened_first_and_the_others_beside_the_frames_cheapest_first(
    paced, ladder_bundle, open_model, frames_flow, log, standins
):
    model = open_model(ladder_bundle)
    assert [engine.setting for engine in paced.opened] == ["usual"]
    assert not model.ready("usual"), "no frame has told the size yet"
    frames_flow(model)
    standins.wait_until(lambda: all(model.ready(name) for name in ("coarse", "usual", "exact")))
    assert [engine.setting for engine in paced.opened[1:]] == ["usual", "coarse", "exact"]
    assert model.memory_bytes is not None
    assert [event.details["setting"] for event in log.after() if event.kind == "engine"] == ["coarse", "exact"]


def test_a_frame_runs_on_the_setting_that_is_named(paced, ladder_bundle, open_model, pixels):
    model = open_model(ladder_bundle)
    for setting in ("coarse", "exact", None):
        found = model.segment(pixels, red_cell_px=40.0, setting=setting)
        assert found.model.setting == (setting or "usual")
        assert len(found.cells) == 2
        assert len(found.block_errors) == 1


def test_the_bundle_changes_between_two_frames_and_the_old_one_is_closed(
    paced, colour_bundle, ladder_bundle, open_model, frames_flow, log, standins
):
    model = open_model(colour_bundle)
    found, heard = frames_flow(model), []
    standins.wait_until(lambda: len(found) > 10)
    model.on_change(lambda manifest: heard.append((manifest.name, model.manifest.name)))
    before = list(paced.opened)
    model.change("second", lambda: ladder_bundle)
    with pytest.raises(HemonodeError, match="opened already"):
        model.change("third", lambda: ladder_bundle)
    standins.wait_until(lambda: model.status().loading is None)
    seen = len(found)
    standins.wait_until(lambda: len(found) > seen + 10)
    assert heard == [("ladder", "colours")], "told before its first frame"
    assert (model.status().id, model.status().bundle) == ("second", "ladder")
    assert found[-1].model.bundle == "ladder"
    assert found[0].model.bundle == "colours"
    standins.wait_until(lambda: all(_closed(engine) for engine in before))
    assert any("ladder is in use now" in event.message for event in log.after())


def _closed(engine):
    try:
        engine.warm_up(1)
    except EngineError:
        return True
    return False


def no_bundle():
    raise BundleError("there is no bundle at this place.")


def test_a_bundle_that_cannot_be_read_leaves_the_old_one_in_place_and_says_why(
    paced, colour_bundle, open_model, frames_flow, log, standins
):
    model = open_model(colour_bundle)
    found = frames_flow(model)
    standins.wait_until(lambda: len(found) > 3)
    model.change("second", no_bundle)
    standins.wait_until(lambda: model.status().loading is None)
    assert (model.status().id, model.status().bundle) == ("first", "colours")
    assert any("colours stays" in event.message and "no bundle at this" in event.message for event in log.after())


def test_a_bundle_whose_graph_no_engine_takes_leaves_the_old_one_in_place(
    paced, colour_bundle, ladder_bundle, open_model, frames_flow, log, standins, tmp_path
):
    broken = tmp_path / "broken.hemo"
    shutil.copytree(ladder_bundle.folder, broken)
    for graph in (broken / "solvers").iterdir():
        graph.write_bytes(b"no graph")
    write_manifest(broken, ladder_bundle.manifest.model_copy(update={"files": {}}))
    model = open_model(colour_bundle)
    found = frames_flow(model)
    standins.wait_until(lambda: len(found) > 3)
    model.change("second", lambda: open_bundle(broken))
    standins.wait_until(lambda: model.status().loading is None)
    assert model.status().bundle == "colours"
    assert any("colours stays" in event.message for event in log.after())
    model.change("second", lambda: ladder_bundle)
    standins.wait_until(lambda: model.status().bundle == "ladder")


def test_it_stops_while_a_bundle_is_being_opened(paced, colour_bundle, open_model, log):
    opening, go_on = threading.Event(), threading.Event()

    def slow():
        opening.set()
        go_on.wait(30)
        return colour_bundle

    model = open_model(colour_bundle)
    model.change("second", slow)
    assert opening.wait(10)
    model.request_stop()
    began = time.monotonic()
    assert not model.join(began + 0.2), "it is left behind, and the caller knows"
    go_on.set()
    assert model.join(time.monotonic() + 20)
    assert model.status().id == "first"


def test_frames_of_another_size_get_their_ladder_once_they_stay(paced, ladder_bundle, open_model, draw_cells, standins):
    model = open_model(ladder_bundle)
    small, large = draw_cells(150, 200, []), draw_cells(300, 200, [])
    for _ in range(3):
        model.segment(small, red_cell_px=40.0)
    standins.wait_until(lambda: model.ready("exact"))
    opened = len(paced.opened)
    for _ in range(3):
        model.segment(large, red_cell_px=40.0)
        model.segment(small, red_cell_px=40.0)
    assert len(paced.opened) == opened + 1, "a folder of mixed sizes opens no ladder for each"
    for _ in range(ladder.STEADY_FRAMES + 1):
        model.segment(large, red_cell_px=40.0)
    standins.wait_until(lambda: model.ready("exact") and len(paced.opened) >= opened + 3)


def test_where_memory_is_short_no_other_engine_is_opened_and_it_is_said(
    paced, ladder_bundle, open_model, pixels, log, monkeypatch, standins
):
    monkeypatch.setattr(ladder, "_LEAST_FREE_BYTES", 1 << 60)
    model = open_model(ladder_bundle)
    model.segment(pixels, red_cell_px=40.0)
    standins.wait_until(lambda: any("MiB of memory are free" in event.message for event in log.after()))
    assert not model.ready("coarse")
    assert model.ready("usual")


def test_an_engine_that_cannot_be_opened_is_not_tried_with_every_frame_that_wants_it(
    paced, ladder_bundle, open_model, pixels, monkeypatch, standins
):
    monkeypatch.setattr(ladder, "_LEAST_FREE_BYTES", 1 << 60)
    model = open_model(ladder_bundle)
    model.segment(pixels, red_cell_px=40.0)

    def tried():
        return model._faults.count("engine for exact")

    standins.wait_until(tried)
    for _ in range(20):
        model.want("exact")
        time.sleep(0.02)
    assert tried() == 2, "once by itself, and once because it was asked for"


def test_an_engine_that_opens_while_its_bundle_goes_is_no_fault(
    paced, colour_bundle, ladder_bundle, open_model, pixels, log, monkeypatch, standins
):
    opening, go_on = threading.Event(), threading.Event()
    open_engine = sys.modules["tests.paced"].open_engine

    def slow(asked):
        if asked.setting == "exact":
            opening.set()
            go_on.wait(30)
        return open_engine(asked)

    monkeypatch.setattr(sys.modules["tests.paced"], "open_engine", staticmethod(slow))
    model = open_model(ladder_bundle)
    before = model._running.ladder
    model.segment(pixels, red_cell_px=40.0)
    assert opening.wait(20)
    model.change("second", lambda: colour_bundle)
    standins.wait_until(lambda: model.status().id == "second" and model.status().loading is None)
    go_on.set()
    assert before.join(time.monotonic() + 20)
    assert [event.message for event in log.after() if event.kind == "fault"] == []


def test_what_runs_can_be_told_while_the_bundle_changes(paced, colour_bundle, ladder_bundle, open_model, pixels):
    model = open_model(colour_bundle)
    model.segment(pixels, red_cell_px=40.0)
    before = model._running
    before.close()
    assert before.segmenter.engine.name == "paced", "who had begun to ask about the old one gets an answer"
