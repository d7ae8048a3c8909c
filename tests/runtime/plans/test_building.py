"""What a user sees of a build: progress, a plan with its record, or one sentence; nothing half-made."""

from __future__ import annotations

import importlib.util
import json
import threading

import pytest

from hemonode.errors import EngineError, InterruptedByUser
from hemonode.runtime.plans.key import BuildOptions
from hemonode.runtime.plans.order import order_plan
from hemonode.runtime.plans.store import Listener, PlanStore
from hemonode.runtime.plans.stored import StoredPlan


def leftovers(store) -> list[str]:
    folders = (store.cache.folder / "building", store.cache.plans)
    return [path.name for folder in folders if folder.exists() for path in folder.iterdir()]


def test_a_built_plan_has_its_record_and_log_beside_it(store, order):
    steps = []
    plan = store().build(order, listener=Listener(progress=steps.append))
    assert {path.name for path in plan.folder.iterdir()} == {"engine.plan", "record.json", "build.log"}
    record = json.loads((plan.folder / "record.json").read_text())
    assert record["key"]["machine"]["gpu"] == "Orin"
    assert record["facts"]["layers"] == {"fp16": 4, "fp32": 2}
    assert record["setting"] == "rk4-1"
    assert [step.phase for step in steps] == ["reading the graph"] + ["choosing kernels"] * 3
    assert plan.read()[:4] == b"ftrt"
    assert (plan.folder / "build.log").read_text().startswith("[TRT] chatter")


def test_what_is_built_is_not_built_again(store, order, starts):
    first = store().build(order)
    assert store("fail").build(order) == first
    assert starts() == 1
    assert store().build(order, rebuild=True).record.built_at > first.record.built_at
    assert starts() == 2


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("killed", "memory runs out.*--workspace-mib"),
        ("crash", "crashed \\(SIGSEGV\\), last words: .*the very end"),
        ("rubbish", "'hello, this is no message'"),
        ("fail", "Layer /conv1 computes in fp32"),
        ("silent", "ended early \\(exit status 3\\)"),
        ("liar", "5,000 bytes where 5,001 were written"),
    ],
)
def test_each_way_a_build_can_fail_is_one_sentence(store, order, way, says):
    with pytest.raises(EngineError, match=says) as failure:
        store(way).build(order)
    assert "\n" not in str(failure.value)
    assert leftovers(store()) == []
    # The cache works as before.
    assert isinstance(store().build(order), StoredPlan)


def test_a_failed_builds_log_is_kept_and_named(store, order):
    with pytest.raises(EngineError) as failure:
        store("crash").build(order)
    log = store().cache.log_of(order.key.name)
    assert str(log) in str(failure.value)
    assert "the very end" in log.read_text()


def test_a_crash_after_the_work_is_done_spoils_nothing(store, order):
    assert store("crash late").build(order).read()


@pytest.mark.skipif(importlib.util.find_spec("tensorrt") is not None, reason="TensorRT is installed here")
def test_the_real_build_process_without_tensorrt_says_so(tmp_path, order):
    with pytest.raises(EngineError, match="TensorRT is not installed"):
        PlanStore(tmp_path / "engines").build(order)


def test_a_missing_build_process_is_one_sentence(store, order):
    broken = store()
    broken._command = ("/nowhere/python", "-m", "nothing")
    with pytest.raises(EngineError, match="/nowhere/python"):
        broken.build(order)
    assert leftovers(broken) == []


@pytest.mark.parametrize("way", ["slow", "deaf"])
def test_a_cancelled_build_leaves_nothing_behind(store, order, way, monkeypatch, wait_until_gone):
    monkeypatch.setattr("hemonode.runtime.plans.builder._GRACE_S", 0.5)
    stop = threading.Event()
    heard = threading.Event()
    listener = Listener(progress=lambda progress: heard.set() if progress.step == 2 else None)

    def cancel() -> None:
        heard.wait()
        stop.set()

    threading.Thread(target=cancel).start()
    with pytest.raises(InterruptedByUser):
        store(way).build(order, listener=listener, stop=stop)
    wait_until_gone()
    assert leftovers(store()) == []
    assert not store().cache.log_of(order.key.name).exists()


def test_options_that_change_the_plan_make_another_one_that_serves_all_the_same(store, order, colour_bundle, starts):
    key = order.key
    options = BuildOptions(optimisation_level=5, workspace_bytes=1 << 30)
    thorough = order_plan(colour_bundle, "rk4-1", "fp32", key.shapes, key.machine, options)
    assert thorough.key.name != key.name
    built = store().build(thorough)
    # The runtime knows nothing of options: what was built last is taken.
    assert store().find(order) == built
    assert store().obtain(order, may_build=True)[0] == built
    assert starts() == 1
