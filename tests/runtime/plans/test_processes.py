"""Several programs, one cache: each plan is built once, and who dies leaves nothing that stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from hemonode.runtime.plans.lock import held
from hemonode.runtime.plans.store import Absent, Listener
from hemonode.runtime.plans.stored import StoredPlan

WORKER = """
import sys
from pathlib import Path
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.order import order_plan
from hemonode.runtime.plans.lock import held
from hemonode.runtime.plans.store import Listener, PlanStore

bundle, engines, machine, *command = sys.argv[1:]
order = order_plan(open_bundle(Path(bundle)), "rk4-1", "fp32", Shapes.fixed((1, 128, 160)),
                   Machine.model_validate_json(machine))
say = lambda what: print(what, flush=True)
plan = PlanStore(Path(engines), command=command).build(
    order, listener=Listener(progress=lambda progress: say(f"step {progress.step}"), remark=say))
say(f"done {plan.record.built_at}")
"""


@pytest.fixture
def launch(order, store):
    """Starts a program that builds the plan of `order` in this test's cache."""
    started = []

    def start(way: str, before: str = "") -> subprocess.Popen[str]:
        there = store(way)
        arguments = [order.bundle.folder, there.cache.folder, order.key.machine.model_dump_json(), *there._command]
        worker = subprocess.Popen(
            [sys.executable, "-c", before + WORKER, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell starts background jobs with SIGINT ignored, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def wait_for_step(worker: subprocess.Popen[str], step: int) -> None:
    for line in worker.stdout:
        if line.strip() == f"step {step}":
            return
    raise AssertionError("it ended before that step")


def test_two_programs_that_want_the_same_plan_build_it_once(launch, store, order, starts):
    first = launch("pause")
    wait_for_step(first, 2)
    second = launch("pause")
    said_first, said_second = first.communicate(timeout=60)[0], second.communicate(timeout=60)[0]
    assert starts() == 1
    assert said_first.splitlines()[-1] == said_second.splitlines()[-1]
    assert said_second.splitlines()[0] == f"Another process is building {order}; waiting for it."
    assert "waiting" not in said_first
    assert store().find(order).read()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a build process notices only when it next speaks")
def test_after_kill_9_in_the_middle_of_a_build_the_next_start_is_right(launch, store, order, starts, wait_until_gone):
    worker = launch("slow")
    wait_for_step(worker, 2)
    building = store().cache.folder / "building"
    [half] = building.iterdir()
    worker.kill()
    worker.wait()
    wait_until_gone()
    assert isinstance(store().find(order), Absent)
    assert half.exists()
    said = []
    assert store().build(order, listener=Listener(remark=said.append)).read()
    # Neither a lock nor half a plan is in the way, and nothing was said of them.
    assert said == []
    assert list(building.iterdir()) == []
    assert starts() == 2


def test_what_a_killed_build_left_is_swept_by_a_build_of_anything_else(filled, order, store):
    half = filled.cache.folder / "building" / "fp16-1x64x64-0123456789.00112233"
    half.mkdir()
    (half / "engine.plan").write_bytes(bytes(100))
    filled.build(order, rebuild=True)
    assert not half.exists()


def test_a_sweep_leaves_other_builds_at_work_alone(launch, store, order, filled):
    half = filled.cache.folder / "building" / f"{order.key.name}.00112233"
    half.mkdir()
    with held(filled.cache.lock_of(order.key.name), waiting=lambda: None, stop=None):
        assert filled.cache.sweep() == 0
        assert half.exists()
    filled.cache.sweep()
    assert not half.exists()


def test_ctrl_c_ends_the_build_process_and_leaves_nothing(launch, store, order, wait_until_gone):
    worker = launch("slow")
    wait_for_step(worker, 2)
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=30)
    wait_until_gone()
    assert list((store().cache.folder / "building").iterdir()) == []
    assert list(store().cache.plans.iterdir()) == []
    # The lock is free.
    assert isinstance(store().build(order), StoredPlan)


def test_ctrl_c_on_the_terminal_is_for_the_program_to_pass_on(launch, store, order):
    # A live view that ends in good order, or asks back.
    worker = launch("pause", before="import signal; signal.signal(signal.SIGINT, lambda *_: None)\n")
    wait_for_step(worker, 2)
    os.killpg(worker.pid, signal.SIGINT)
    assert "done" in worker.communicate(timeout=30)[0]
    assert store().find(order).read()


def test_the_lock_of_a_process_that_was_killed_is_free(launch, store, order):
    worker = launch("pause")
    wait_for_step(worker, 0)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert store().build(order).read()
