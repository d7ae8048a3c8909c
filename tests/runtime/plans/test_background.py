"""Plans built while something else runs: cheapest first, failures told, and an end as soon as it is asked for."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.plans.background import BackgroundBuilds
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.order import PlanOrder, order_plan


@pytest.fixture
def orders(colour_bundle: Bundle, machine) -> list[PlanOrder]:
    """Three, the dearest first; the two settings' graphs cost 200 and 100 a pixel."""
    cost = {"rk4-1": 200.0, "euler-1": 100.0}
    manifest = colour_bundle.manifest
    settings = tuple(s.model_copy(update={"multiply_adds_per_px": cost[s.name]}) for s in manifest.settings)
    bundle = replace(colour_bundle, manifest=manifest.model_copy(update={"settings": settings}))
    wanted = [("rk4-1", 256), ("rk4-1", 128), ("euler-1", 144)]
    return [order_plan(bundle, name, "fp32", Shapes.fixed((1, side, side)), machine) for name, side in wanted]


def test_the_cheapest_is_ready_first(store, orders):
    ready, done = [], threading.Event()

    def take(order, plan):
        ready.append((order, plan.read()[:4]))
        if len(ready) == 3:
            done.set()

    with BackgroundBuilds(store(), orders, ready=take, failed=lambda *told: pytest.fail(str(told))):
        assert done.wait(60)
    assert ready == [(orders[2], b"ftrt"), (orders[1], b"ftrt"), (orders[0], b"ftrt")]


def test_one_that_cannot_be_built_is_told_and_the_others_are_tried(store, orders):
    failed, done = [], threading.Event()

    def note(order, sentence):
        failed.append((order, sentence))
        if len(failed) == 3:
            done.set()

    with BackgroundBuilds(store("fail"), orders, ready=lambda *_: pytest.fail("nothing can be ready"), failed=note):
        assert done.wait(60)
    assert [order for order, _ in failed] == [orders[2], orders[1], orders[0]]
    assert all("Layer /conv1" in sentence for _, sentence in failed)


def test_closing_ends_the_build_at_work_and_leaves_out_the_others(store, orders, starts):
    told, begun = [], threading.Event()
    there = store("slow")
    builds = BackgroundBuilds(
        there,
        orders,
        ready=lambda *what: told.append(what),
        failed=lambda *what: told.append(what),
        progress=lambda _, progress: begun.set() if progress.step == 2 else None,
    )
    assert begun.wait(60)
    builds.close()
    builds.close()
    assert told == []
    assert starts() == 1
    assert list((there.cache.folder / "building").iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "plan builds"]


def test_it_can_be_closed_from_its_own_callback(store, orders):
    closed = threading.Event()
    started = threading.Event()

    def close(order, plan):
        started.wait()
        builds.close()
        closed.set()

    builds = BackgroundBuilds(store(), orders, ready=close, failed=lambda *_: None)
    started.set()
    assert closed.wait(60)
    builds.close()
