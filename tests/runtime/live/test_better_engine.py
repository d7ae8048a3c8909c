"""A better engine takes over in the middle of the live view once it is built, and a failed build costs nothing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.engines import EngineEntry
from hemonode.runtime.engines.contract import Engine
from hemonode.runtime.engines.cpu import CpuEngine
from hemonode.runtime.live.better_engine import BetterEngine
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.store import PlanStore
from hemonode.runtime.segment import Segmenter

MACHINE = Machine(gpu="Orin", compute_capability="8.7", tensorrt="10.3.0", cuda="12.6", driver="540.4.0")


class Better(CpuEngine):
    """Answers as the CPU does, under another name."""

    name = "tensorrt"


@pytest.fixture
def built(monkeypatch):
    """Frame sizes whose plan is there; `hemonode.runtime.engines.tensorrt` opens these and refuses others."""
    sizes = set()

    class Module:
        @staticmethod
        def open_engine(opening) -> Engine:
            if opening.shape not in sizes:
                raise EngineError(f"no plan for {opening.shape}.")
            return Better(opening.bundle.graph_path(opening.setting), opening.shape, threads=1)

    monkeypatch.setitem(__import__("sys").modules, "tests.better", Module)
    monkeypatch.setattr("hemonode.runtime.engines.shelf.this_machine", lambda: MACHINE)
    monkeypatch.setitem(
        __import__("hemonode.runtime.engines", fromlist=["ENGINES"]).ENGINES,
        "tensorrt",
        EngineEntry("tests.better", "tensorrt", builds=True),
    )
    return sizes


@pytest.fixture
def builds():
    """Stands in for `BackgroundBuilds`; each call is kept: its orders, and who hears of them."""

    class Builds(list):
        def __call__(self, _store, orders, *, ready, failed):
            self.append(SimpleNamespace(orders=orders, ready=ready, failed=failed, closed=False))
            self[-1].close = lambda build=self[-1]: setattr(build, "closed", True)
            return self[-1]

    return Builds()


@pytest.fixture
def segmenter(colour_bundle):
    with Segmenter(colour_bundle, engine="auto", precision="fp32", threads=1) as opened:
        yield opened


@pytest.fixture
def better(segmenter, builds, tmp_path):
    log, faults = EventLog(), FaultLog()
    found = BetterEngine(segmenter, MACHINE, PlanStore(tmp_path), log, faults, build=builds)
    return SimpleNamespace(build_for=found.build_for, request_stop=found.request_stop, log=log, faults=faults)


FRAME, SHAPE = (160, 208), (1, 160, 208)


def test_a_better_engine_takes_over_for_each_setting_and_gives_the_same(built, segmenter, better, builds, draw_cells):
    pixels = draw_cells(150, 200, [(2, 60.0, 60.0, 40.0)])
    before = segmenter.segment(pixels, red_cell_px=40.0)
    assert segmenter.engine.name != "tensorrt"
    assert "no plan" in segmenter.engine.passed_over[0]
    for _ in range(3):
        better.build_for(FRAME)
    (build,) = builds
    assert [order.setting for order in build.orders] == ["euler-1", "rk4-1"]
    assert segmenter.engine.shape == SHAPE
    built.add(SHAPE)
    for order in build.orders:
        build.ready(order, None)
        after = segmenter.segment(pixels, red_cell_px=40.0, setting=order.setting)
        assert segmenter.engine.name == after.model.engine == "tensorrt"
        assert after.model.setting == order.setting
        assert np.array_equal(before.class_ids, after.class_ids)
        assert before.cells == after.cells
    assert better.faults.recent() == []
    assert [event.details["setting"] for event in better.log.after()] == ["euler-1", "rk4-1"]


def test_a_plan_that_was_there_from_the_start_is_not_opened_again(built, segmenter, better, builds, draw_cells):
    built.add(SHAPE)
    segmenter.segment(draw_cells(150, 200, [(2, 60.0, 60.0, 40.0)]), red_cell_px=40.0)
    assert segmenter.engine.name == "tensorrt"
    better.build_for(FRAME)
    assert [order.setting for order in builds[0].orders] == ["euler-1"], "that of the other setting only"


def test_a_build_that_fails_is_told_and_the_engine_before_goes_on(built, segmenter, better, builds, draw_cells):
    pixels = draw_cells(150, 200, [(2, 60.0, 60.0, 40.0)])
    better.build_for(FRAME)
    first, second = builds[0].orders
    builds[0].failed(first, "ran out of memory while building.")
    assert "ran out of memory" in better.faults.recent()[0].message
    better.build_for(FRAME)
    assert len(builds) == 1, "what failed once is not tried with every frame"
    builds[0].ready(second, None)  # a plan that cannot be opened after all
    segmenter.segment(pixels, red_cell_px=40.0)
    assert "no plan" in segmenter.engine.passed_over[0]


def test_frames_of_another_size_leave_the_builds_that_nobody_needs_any_more(built, better, builds, segmenter):
    better.build_for(FRAME)
    better.build_for((320, 208))
    assert len(builds) == 1, "one at a time"
    built.add(SHAPE)
    builds[0].ready(builds[0].orders[0], None)
    assert builds[0].closed
    assert [order.key.shapes.best for order in builds[1].orders] == 2 * [(1, 320, 208)]
    assert segmenter.engine.name != "tensorrt"
    better.request_stop()
    better.build_for((480, 208))
    builds[1].failed(builds[1].orders[0], "stopped.")
    assert len(builds) == 2


def test_measuring_the_scale_never_waits_for_a_build(colour_bundle, draw_cells, built):
    cells = [(2, 50.0 + 60 * (i % 4), 50.0 + 60 * (i // 4), 40.0) for i in range(12)]
    built.add((1, 224, 288))
    with Segmenter(colour_bundle, engine="tensorrt", precision="fp32", threads=1) as segmenter:
        assert segmenter.engine.name != "tensorrt"
        assert segmenter.measure_red_cell_px(draw_cells(220, 280, cells)) == pytest.approx(40, rel=0.15)
        segmenter.segment(draw_cells(220, 280, cells), red_cell_px=40.0)
        assert segmenter.engine.name == "tensorrt"
        with pytest.raises(EngineError, match="no plan"):
            segmenter.segment(draw_cells(400, 280, cells), red_cell_px=40.0)
