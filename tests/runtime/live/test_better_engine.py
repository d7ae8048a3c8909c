"""A better engine takes over in the middle of the live view once it is built, and a failed build costs nothing."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.device.frame import Frame
from hemonode.errors import EngineError
from hemonode.runtime.engines import EngineEntry
from hemonode.runtime.engines.contract import Engine
from hemonode.runtime.engines.cpu import CpuEngine
from hemonode.runtime.live.better_engine import BetterEngine
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.scale import Scale
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
    monkeypatch.setattr("hemonode.runtime.segment.this_machine", lambda: MACHINE)
    monkeypatch.setitem(
        __import__("hemonode.runtime.engines", fromlist=["ENGINES"]).ENGINES,
        "tensorrt",
        EngineEntry("tests.better", "tensorrt", builds=True),
    )
    return sizes


@pytest.fixture
def builds():
    """Stands in for `BackgroundBuilds`; each call is kept."""

    class Builds(list):
        def __call__(self, _store, orders, *, ready, failed):
            self.append((orders[0], ready, failed))

    return Builds()


def result_of(segmenter, pixels):
    found = segmenter.segment(pixels, red_cell_px=40.0)
    return Result(Frame(pixels, 0, 0), found, Scale(40.0, "given"), None, {}, 1.0)


def test_the_better_engine_takes_over_for_the_cameras_frames_and_gives_the_same(
    colour_bundle, draw_cells, built, builds, tmp_path
):
    pixels, faults = draw_cells(150, 200, [(2, 60.0, 60.0, 40.0)]), FaultLog()
    with Segmenter(colour_bundle, engine="auto", precision="fp32", threads=1) as segmenter:
        before = result_of(segmenter, pixels)
        assert segmenter.engine.name != "tensorrt"
        assert "no plan" in segmenter.engine.passed_over[0]
        better = BetterEngine(segmenter, MACHINE, PlanStore(tmp_path), faults, build=builds)
        for _ in range(3):
            better.accept(before)
        ((order, ready, _),) = builds
        assert order.key.shapes.best == segmenter.engine.shape
        built.add(order.key.shapes.best)
        ready(order, None)
        after = result_of(segmenter, pixels)
        assert segmenter.engine.name == "tensorrt"
        assert np.array_equal(before.segmentation.class_ids, after.segmentation.class_ids)
        assert before.segmentation.cells == after.segmentation.cells
    assert faults.recent() == []


def test_a_plan_that_was_there_from_the_start_is_not_opened_again(colour_bundle, draw_cells, built, builds, tmp_path):
    built.add((1, 160, 208))
    with Segmenter(colour_bundle, engine="auto", precision="fp32", threads=1) as segmenter:
        result = result_of(segmenter, draw_cells(150, 200, [(2, 60.0, 60.0, 40.0)]))
        assert segmenter.engine.name == "tensorrt"
        BetterEngine(segmenter, MACHINE, PlanStore(tmp_path), FaultLog(), build=builds).accept(result)
        assert builds == []


def test_a_build_that_fails_is_told_and_the_engine_before_goes_on(colour_bundle, draw_cells, built, builds, tmp_path):
    pixels, faults = draw_cells(150, 200, [(2, 60.0, 60.0, 40.0)]), FaultLog()
    with Segmenter(colour_bundle, engine="auto", precision="fp32", threads=1) as segmenter:
        result = result_of(segmenter, pixels)
        better = BetterEngine(segmenter, MACHINE, PlanStore(tmp_path), faults, build=builds)
        better.accept(result)
        order, ready, failed = builds[0]
        failed(order, "ran out of memory while building.")
        assert "ran out of memory" in faults.recent()[0].message
        better.accept(result)
        assert len(builds) == 1, "what failed once is not tried with every frame"
        ready(order, None)
        assert "no plan" in segmenter.engine.passed_over[0]
        result_of(segmenter, pixels)
        other = draw_cells(300, 200, [(2, 60.0, 60.0, 40.0)])
        better.accept(result_of(segmenter, other))
        assert builds[1][0].key.shapes.best == segmenter.engine.shape


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
