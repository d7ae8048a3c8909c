"""Where there is a GPU: real builds of the shipped model, what their inspector shows, and every way to run them."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import get_args

import numpy as np
import pytest

from hemonode.device.smear import render_view
from hemonode.errors import InterruptedByUser
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.engines import tensorrt
from hemonode.runtime.engines.contract import Opening
from hemonode.runtime.engines.tensorrt_session import SessionOptions
from hemonode.runtime.gpu.buffers import HostMemory
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.machine import this_machine
from hemonode.runtime.plans.messages import Progress
from hemonode.runtime.plans.order import order_plan
from hemonode.runtime.plans.store import Absent, Listener, PlanStore
from hemonode.runtime.preprocess import equalise

pytestmark = pytest.mark.gpu

SHAPE = (2, 192, 256)
SETTING = "tol1e-2"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PlanStore:
    return PlanStore(tmp_path_factory.mktemp("engines"))


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, store: PlanStore) -> None:
    monkeypatch.setattr(tensorrt, "PlanStore", lambda: store)


@pytest.fixture(scope="module")
def frames(bundle: Bundle) -> np.ndarray:
    views = [render_view(seed=seed, height=SHAPE[1], width=SHAPE[2], red_cell_px=40) for seed in range(SHAPE[0])]
    return np.stack([equalise(view.pixels, bundle.manifest.preprocessing) for view in views])


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_plan_is_built_and_shows_its_precision(bundle: Bundle, store: PlanStore, precision: str) -> None:
    heard: list[Progress] = []
    order = order_plan(bundle, SETTING, precision, Shapes.fixed(SHAPE), this_machine())
    facts = store.build(order, listener=Listener(progress=heard.append)).record.facts
    assert facts.layers.get(precision, 0) > 10
    assert facts.plan_bytes > 1_000_000
    assert heard


def test_a_graph_and_every_kind_of_host_memory_give_the_same_answers(bundle: Bundle, frames: np.ndarray) -> None:
    opening = Opening(bundle, SHAPE, SETTING, "fp16", may_build=True)
    ways = [
        SessionOptions(cuda_graph=graph, memory=memory) for memory in get_args(HostMemory) for graph in (True, False)
    ]
    found = []
    for options in ways:
        with tensorrt.open_engine(opening, options) as engine:
            found.append([engine.run(frames) for _ in range(3)])
            assert not any("CUDA graph" in remark for remark in engine.remarks), engine.remarks
    first = found[0][0]
    for answer in (answer for answers in found for answer in answers):
        np.testing.assert_array_equal(answer.class_ids, first.class_ids)
        np.testing.assert_array_equal(answer.peaks, first.peaks)


def test_one_plan_with_a_profile_runs_frames_of_several_sizes(bundle: Bundle, store: PlanStore, frames) -> None:
    shapes = Shapes(least=(1, 128, 128), best=SHAPE, most=(2, 224, 288))
    order = order_plan(bundle, SETTING, "fp32", shapes, this_machine())
    store.build(order)
    with tensorrt.open_engine(Opening(bundle, (2, 192, 240), SETTING, "fp32")) as engine:
        assert engine.batch_sizes == (1, 2)
        both = engine.run(np.ascontiguousarray(frames[:, :, :240]))
        one = engine.run(np.ascontiguousarray(frames[:1, :, :240]))
        assert np.mean(one.class_ids[0] == both.class_ids[0]) > 0.999


def test_a_build_that_is_stopped_leaves_nothing(bundle: Bundle, store: PlanStore) -> None:
    stop = threading.Event()
    order = order_plan(bundle, SETTING, "fp16", Shapes.fixed((3, 256, 320)), this_machine())
    with pytest.raises(InterruptedByUser):
        store.build(order, listener=Listener(progress=lambda _: stop.set()), stop=stop)
    assert isinstance(store.find(order), Absent)


def test_a_plan_that_is_none_is_refused_in_a_sentence() -> None:
    # In a process of its own: TensorRT does not survive every damaged plan, which is why others never reach it.
    code = (
        "from hemonode.errors import EngineError\n"
        "from hemonode.runtime.engines.tensorrt_context import TensorRtContext\n"
        "from hemonode.runtime.gpu import open_gpu\n"
        "try:\n"
        "    with open_gpu(): TensorRtContext(b'ftrt' + bytes(4096))\n"
        "except EngineError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cannot load the engine" in answer.stdout, answer
