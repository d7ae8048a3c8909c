"""A bundle with a ladder of three solver settings that report their error, and an engine whose speed a test chooses."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.bundle.schema import BlockEstimate, BlockSolver, SettingVerification, SolverSetting
from hemonode.runtime.bundle.writer import write_manifest
from hemonode.runtime.engines import ENGINES, EngineEntry
from hemonode.runtime.engines.cpu import CpuEngine

WORKS = {"coarse": 100.0, "usual": 130.0, "exact": 160.0}
LARGEST_ERROR = 1.0


def _with_block_errors(graph):
    """The colour graph, which reports ten times the share of pixels that are cells as the error of its one block."""
    constants = {"spatial": np.array([1, 2, 3]), "ten": np.float32(10), "last_axis": np.array([1])}
    graph.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["cells"], ["share"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Mul", ["share", "ten"], ["scaled"]),
            helper.make_node("Unsqueeze", ["scaled", "last_axis"], ["block_errors"]),
        ]
    )
    graph.graph.output.append(helper.make_tensor_value_info("block_errors", TensorProto.FLOAT, ["N", 1]))
    return graph


def _setting(name):
    proof = SettingVerification(
        images=1,
        mask_agreement_unrolled_onnx=1.0,
        mask_agreement_adaptive_onnx=1.0,
        count_difference_adaptive_onnx=0.0,
    )
    block = BlockSolver(position=5, method="dp5", grid=(0.0, 1.0), evaluations=7, estimates=True)
    return SolverSetting(
        name=name,
        blocks=(block,),
        graphs={"fp32": f"solvers/{name}.fp32.onnx"},
        verification={"fp32": proof},
        tolerance=1e-3,
        estimates=(BlockEstimate(position=5, images=60, median=0.2, p95=0.5, largest=LARGEST_ERROR),),
        multiply_adds_per_px=WORKS[name],
    )


@pytest.fixture(scope="session")
def ladder_bundle(tmp_path_factory, colour_bundle):
    """A checked bundle: settings "coarse", "usual" (its default) and "exact". Never write into its folder."""
    folder = tmp_path_factory.mktemp("ladder") / "ladder.hemo"
    (folder / "solvers").mkdir(parents=True)
    graph = _with_block_errors(onnx.load(colour_bundle.graph_path()))
    for name in WORKS:
        onnx.save(graph, folder / f"solvers/{name}.fp32.onnx")
    (folder / "card.md").write_text("# Ladder\n\nFor tests.\n", encoding="utf-8")
    settings = tuple(_setting(name) for name in WORKS)
    changed = {"name": "ladder", "settings": settings, "default_setting": "usual", "files": {}}
    write_manifest(folder, colour_bundle.manifest.model_copy(update=changed))
    return open_bundle(folder)


@pytest.fixture
def only_engines():
    """`only_engines(name=entry)` makes these all that there are. They are put back in their order, best first, which
    monkeypatch would not."""
    before = dict(ENGINES)

    def keep(**entries):
        ENGINES.clear()
        ENGINES.update(entries)

    yield keep
    keep(**before)


@pytest.fixture
def paced(monkeypatch, only_engines):
    """The only engine of this machine: takes `ms[setting]`, times `load`, for a frame; `opened` are those opened."""
    state = SimpleNamespace(ms={"coarse": 10.0, "usual": 13.0, "exact": 16.0}, load=1.0, opened=[])

    class Paced(CpuEngine):
        name = "paced"

        def __init__(self, opening):
            path = opening.bundle.graph_path(opening.setting)
            super().__init__(path, opening.shape, threads=1, lanes=opening.lanes)
            self.setting = opening.setting
            state.opened.append(self)

        def _infer(self, frames):
            until = time.monotonic() + state.ms.get(self.setting, 5.0) * state.load / 1e3
            found = super()._infer(frames)
            time.sleep(max(0.0, until - time.monotonic()))
            return found

    class Module:
        @staticmethod
        def open_engine(opening):
            return Paced(opening)

    monkeypatch.setitem(__import__("sys").modules, "tests.paced", Module)
    only_engines(paced=EngineEntry("tests.paced", "cpu"))
    return state
