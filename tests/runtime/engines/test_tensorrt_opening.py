"""Opening the TensorRT engine: which graph, which plan, and what it says when there is none."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.engines import open_engine as open_by_name
from hemonode.runtime.engines import tensorrt
from hemonode.runtime.engines.contract import Opening
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.store import PlanStore

ORIN = Machine(gpu="Orin", compute_capability="8.7", tensorrt="10.3.0", cuda="12.6", driver="12.6")

# Writes a plan as TensorRT 10.3.0 begins it.
BUILD = """
from hemonode.runtime.engines.tensorrt_build import main
from hemonode.runtime.plans.messages import BuiltFacts, Progress

def build(request, tell, stop):
    for step in range(3):
        tell(Progress(phase="choosing kernels", step=step, steps=3))
    plan = b"ftrt" + bytes(20) + bytes([10, 3, 0, 26]) + b"the rest"
    request.plan.write_bytes(plan)
    return BuiltFacts(tensorrt="10.3.0", seconds=1, plan_bytes=len(plan), layers={"fp16": 1}, remarks=("Times anew.",))

raise SystemExit(main(build))
"""


@dataclass
class Opened:
    """What the engine was made from, in place of the engine."""

    plan: bytes
    made: dict[str, object]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Opened]:
    """The engines that were opened on this machine, an Orin with a cache of its own, up to the touch of its GPU."""
    engines: list[Opened] = []

    def make(load: Callable[[], bytes], shape: object, **made: object) -> Opened:
        engines.append(Opened(load(), {"shape": shape, **made}))
        return engines[-1]

    monkeypatch.setattr(tensorrt, "this_machine", lambda: ORIN)
    monkeypatch.setattr(tensorrt, "PlanStore", lambda: PlanStore(tmp_path, command=(sys.executable, "-c", BUILD)))
    monkeypatch.setattr(tensorrt, "_load", lambda plan: plan)
    monkeypatch.setattr(tensorrt, "TensorRtEngine", make)
    return engines


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return open_bundle()


@pytest.fixture
def opening(shipped: Bundle) -> Opening:
    return Opening(shipped, (1, 128, 160), shipped.setting().name)


def test_without_a_plan_it_says_which_command_builds_it(opening: Opening, opened: list[Opened]) -> None:
    with pytest.raises(EngineError, match=r"^none is built for .* fp16 1x128x160; run: hemonode build .*128x160"):
        tensorrt.open_engine(opening)
    assert opened == []


def test_a_plan_is_built_where_it_may_be_and_found_the_next_time(opening: Opening, opened: list[Opened]) -> None:
    tensorrt.open_engine(replace(opening, may_build=True))
    tensorrt.open_engine(opening)
    for engine in opened:
        assert engine.plan.startswith(b"ftrt")
        assert engine.made["precision"] == "fp16"
        assert engine.made["shape"] == (1, 128, 160)
        assert engine.made["version"] == "TensorRT 10.3.0"
        assert engine.made["device"] == "Orin"
        assert engine.made["remarks"] == ("Times anew.",)
    assert len(opened) == 2


def test_who_waits_for_a_build_is_told_what_it_does(opening: Opening, opened: list[Opened]) -> None:
    lines: list[str] = []
    for _ in range(2):
        tensorrt.open_engine(replace(opening, may_build=True, tell=lines.append))
    assert lines[0].startswith("TensorRT builds first_light tol1e-3 fp16 1x128x160, which takes minutes, once: ")
    assert len(lines) == len(set(lines))
    assert any("choosing kernels" in line for line in lines)


def test_a_plan_of_another_tensorrt_is_refused_with_the_reason_and_rebuilt_with_a_remark(
    opening: Opening, opened: list[Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorrt, "this_machine", lambda: ORIN.model_copy(update={"driver": "12.4"}))
    tensorrt.open_engine(replace(opening, may_build=True))
    monkeypatch.setattr(tensorrt, "this_machine", lambda: ORIN)
    with pytest.raises(EngineError, match=r"is of no use \(driver was 12.4 and is 12.6\); run: hemonode build"):
        tensorrt.open_engine(opening)
    tensorrt.open_engine(replace(opening, may_build=True))
    assert re.match("Building .* again: driver was 12.4 and is 12.6", opened[-1].made["remarks"][0])


def test_a_plan_cut_in_half_never_reaches_tensorrt(opening: Opening, opened: list[Opened], tmp_path: Path) -> None:
    tensorrt.open_engine(replace(opening, may_build=True))
    (plan,) = tmp_path.rglob("*.plan")
    plan.write_bytes(plan.read_bytes()[:-4])
    with pytest.raises(EngineError, match="run: hemonode build"):
        tensorrt.open_engine(opening)
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("setting", "asked", "capability", "chosen"),
    [
        ("tol1e-2", "auto", "8.7", "fp16"),
        ("tol1e-2", "auto", "6.1", "fp32"),
        ("tol1e-4", "auto", "8.7", "fp32"),
        ("tol1e-2", "fp32", "8.7", "fp32"),
        ("tol1e-2", "fp16", "6.1", "fp16"),
    ],
)
def test_auto_is_fp16_where_bundle_and_gpu_are_made_for_it(
    opening: Opening, setting: str, asked: str, capability: str, chosen: str
) -> None:
    assert tensorrt.choose_precision(replace(opening, setting=setting, precision=asked), capability) == chosen


@pytest.mark.parametrize(("setting", "asked"), [("tol1e-2", "bf16"), ("tol1e-4", "fp16")])
def test_a_precision_without_a_graph_is_refused_and_never_replaced(opening: Opening, setting: str, asked: str) -> None:
    with pytest.raises(
        EngineError, match=rf"setting '{setting}' has none in {asked}; ask for fp32( or fp16)?, or auto"
    ):
        tensorrt.choose_precision(replace(opening, setting=setting, precision=asked), "8.7")


@pytest.mark.skipif(importlib.util.find_spec("tensorrt") is not None, reason="TensorRT is installed here")
def test_where_there_is_no_tensorrt_it_says_so_first(shipped: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hemonode.runtime.gpu.has_nvidia_gpu", lambda: True)
    with pytest.raises(EngineError, match=r"^TensorRT is not installed; "):
        open_by_name(shipped, (1, 128, 160), engine="tensorrt")
