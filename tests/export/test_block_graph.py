"""An ODE block in a graph computes what torch computes, with no node more, on every runtime; so does its estimate."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from torch import nn

from hemonode.export.graph.builder import OPERATORS, GraphBuilder, Value
from hemonode.export.graph.emission import Emission
from hemonode.export.graph.table import EMITTERS
from hemonode.export.graph.weights import WeightFile
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.settings import integrating
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.runtime.engines.cpu import CpuEngine
from hemonode.runtime.engines.openvino import OpenVinoEngine
from hemonode.train.models.config import ModelConfig, OdeBlockConfig
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import build_model, ode_blocks

HEADS = Heads(countable_ids=(1, 2, 3))
TOLERANCE = 1e-3
UNEVEN = (0.0, 0.3, 1.0)
EVERY = pytest.mark.parametrize("tableau", TABLEAUS.values(), ids=TABLEAUS)
PRECISIONS = pytest.mark.parametrize("precision", ["fp32", "fp16"])


@pytest.fixture
def block() -> ODEBlock:
    torch.manual_seed(0)
    block = ODEBlock(6, 5, TOLERANCE, 2, "softplus")
    nn.init.normal_(block.dynamics.convs[-1].weight, 0, 0.2)
    for weight in block.dynamics.time_weights:
        nn.init.normal_(weight, 0, 0.5)
    return block


@pytest.fixture
def h0() -> torch.Tensor:
    return torch.randn(2, 6, 9, 11, generator=torch.Generator().manual_seed(1))


class Written(NamedTuple):
    """The graph of one block: h0 to h1 and, where its solver estimates, its error."""

    graph: onnx.ModelProto
    path: str

    def run(self, h0):
        session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])
        return session.run(None, {"h0": h0.numpy()})

    def count(self, scope) -> Counter:
        return Counter(node.op_type for node in self.graph.graph.node if node.name.rsplit("/", 1)[0] == scope)


@pytest.fixture
def write_block(tmp_path):
    def write(block, solver) -> Written:
        block.integrator = solver
        weights = WeightFile("fp32")
        builder = GraphBuilder(weights)
        emission = Emission(builder, block, EMITTERS)
        end = emission.emit(block, Value("h0", TensorProto.FLOAT))
        outputs = [helper.make_tensor_value_info(end.name, TensorProto.FLOAT, ["N", "C", "H", "W"])]
        outputs += [
            helper.make_tensor_value_info(value.name, TensorProto.FLOAT, ["N", 1, 1, 1])
            for value in emission.block_errors.values()
        ]
        frames = helper.make_tensor_value_info("h0", TensorProto.FLOAT, ["N", "C", "H", "W"])
        graph = builder.model("block", [frames], outputs)
        weights.save(tmp_path)
        onnx.save(graph, tmp_path / "block.onnx")
        return Written(graph, str(tmp_path / "block.onnx"))

    return write


@EVERY
def test_every_method_in_a_graph_ends_and_errs_as_in_torch(tableau, block, h0, write_block):
    solver = Unrolled(tableau, UNEVEN, estimate=True)
    end, error = write_block(block, solver).run(h0)
    with torch.no_grad():
        expected = solver.solve(block.dynamics, h0, rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(end, expected.end, atol=1e-5)
    np.testing.assert_allclose(error.ravel(), expected.local_error, rtol=2e-3, atol=1e-4)


@EVERY
def test_only_what_counts_becomes_a_node(tableau, block, write_block):
    steps = 3
    grid = (0.0, 0.2, 0.45, 1.0)  # no step is as long as another, so no weight is 1 by chance
    graph = write_block(block, Unrolled(tableau, grid))
    inside = graph.count("ode5.dynamics")
    assert inside == {"Conv": 2 * steps * len(tableau.live_stages())}
    terms = sum(
        weight != 0 for row in (*(tableau.a[stage] for stage in tableau.live_stages()), tableau.b) for weight in row
    )
    assert graph.count("ode5") == {"Mul": steps * terms, "Add": steps * terms}
    # Two kernels, however many steps; a bias for each convolution at each time.
    kernels = [weight for weight in graph.graph.graph.initializer if len(weight.dims) == 4]
    assert len(kernels) == 2


def test_a_stage_that_the_next_step_starts_with_is_computed_once(block, write_block):
    for steps in (1, 2, 3):
        plain = write_block(block, Unrolled(TABLEAUS["dopri5"], uniform_grid(steps)))
        assert plain.count("ode5.dynamics")["Conv"] == 2 * 6 * steps
        estimating = write_block(block, Unrolled(TABLEAUS["dopri5"], uniform_grid(steps), estimate=True))
        assert estimating.count("ode5.dynamics")["Conv"] == 2 * (6 * steps + 1)


def test_a_state_that_is_lost_is_not_forgotten_by_the_estimate(block, h0, write_block):
    h0[1, 0, 0, 0] = float("inf")
    _, error = write_block(block, Unrolled(TABLEAUS["heun"], uniform_grid(3), estimate=True)).run(h0)
    assert np.isfinite(error[0, 0, 0, 0])
    assert not np.isfinite(error[1, 0, 0, 0])


@pytest.fixture(scope="module")
def small():
    """All blocks of the shipped model, of a network as small as can be."""
    torch.manual_seed(0)
    blocks = tuple(OdeBlockConfig(position=position, tolerance=TOLERANCE) for position in (4, 5, 6))
    return build_model(ModelConfig(width=4, ode_blocks=blocks)).eval()


def _most_steps(tableau, evaluations, *, estimate) -> Unrolled:
    steps = max(n for n in range(1, evaluations + 1) if tableau.evaluations(n, estimate=estimate) <= evaluations)
    uneven = (*((index / steps) ** 1.3 for index in range(steps)), 1.0)
    return Unrolled(tableau, uneven, estimate=estimate)


def _write(model, solvers, weights):
    with integrating(model, solvers):
        return write_graph(model, "setting", HEADS, weights, tolerance=TOLERANCE)


@EVERY
@PRECISIONS
def test_every_setting_is_made_of_operators_that_tensorrt_parses_and_of_no_picture_size(tableau, precision, small):
    solver = _most_steps(tableau, 14, estimate=True)
    graph = _write(small, dict.fromkeys((4, 5, 6), solver), WeightFile(precision)).graph
    assert {node.op_type for node in graph.node} <= OPERATORS
    assert {node.domain for node in graph.node} == {""}
    assert not [node.name for node in graph.node for attribute in node.attribute if attribute.HasField("g")]
    inline = [weight for weight in graph.initializer if weight.data_location != TensorProto.EXTERNAL]
    assert max(np.prod(constant.dims) for constant in inline) <= max(4, len(solver.grid))
    # Channels and kernels are all that a weight may be as large as.
    assert all(tuple(weight.dims[2:]) in ((), (1, 1), (3, 3)) for weight in graph.initializer if len(weight.dims) == 4)


def test_the_operators_are_native_to_tensorrt_8_6():
    # Supported without a plug-in, by its operators.md; without control flow and shapes that depend on values.
    native = {
        "Abs", "Add", "ArgMax", "Cast", "Concat", "Conv", "Div", "Flatten", "Gather", "GreaterOrEqual", "Max",
        "MaxPool", "Mul", "ReduceMax", "ReduceMean", "Relu", "Resize", "Shape", "Sigmoid", "Softplus", "Sqrt", "Sub",
        "Tanh", "TopK", "Transpose", "Unsqueeze", "Where",
    }  # fmt: skip
    # In int8 graphs only, which are for processors.
    assert native >= OPERATORS - {"QuantizeLinear", "DequantizeLinear"}


@pytest.mark.parametrize("name", ["euler", "bs3", "rk38", "tsit5"])
@PRECISIONS
def test_64_evaluations_in_each_block_stay_under_200_kb(name, precision, small):
    solver = _most_steps(TABLEAUS[name], 64, estimate=True)
    graph = _write(small, dict.fromkeys((4, 5, 6), solver), WeightFile(precision))
    assert len(graph.SerializeToString()) < 200_000


@PRECISIONS
def test_ten_settings_are_at_most_a_tenth_larger_than_one(precision):
    blocks = tuple(OdeBlockConfig(position=position, tolerance=TOLERANCE) for position in (4, 5, 6))
    model = build_model(ModelConfig(width=16, ode_blocks=blocks)).eval()
    ladder = [(name, 1) for name in ("rk4", "euler", "midpoint", "heun", "ralston", "kutta3", "bs3")]
    ladder += [("rk4", 2), ("bs3", 4), ("dopri5", 4)]
    weights, graphs, sizes = WeightFile(precision), 0, []
    for name, steps in ladder:
        solver = Unrolled(TABLEAUS[name], uniform_grid(steps), estimate=True)
        graphs += len(_write(model, dict.fromkeys((4, 5, 6), solver), weights).SerializeToString())
        sizes.append(graphs + weights._end)
    assert len(sizes) == 10
    assert sizes[-1] <= 1.1 * sizes[0]


@pytest.fixture(scope="module")
def estimating_graph(model, make_frame, tmp_path_factory):
    """A whole network: block 4 estimates, block 6 does not."""
    folder = tmp_path_factory.mktemp("graph")
    estimating = Unrolled(TABLEAUS["bs3"], UNEVEN, estimate=True)
    plain = Unrolled(TABLEAUS["rk4"], uniform_grid(1))
    weights = WeightFile("fp32")
    onnx.save(_write(model, {4: estimating, 6: plain}, weights), folder / "setting.onnx")
    weights.save(folder)
    return folder / "setting.onnx", {4: estimating, 6: plain}


def test_three_runtimes_answer_alike_and_the_checker_finds_no_fault(estimating_graph, model, make_frame):
    path, solvers = estimating_graph
    onnx.checker.check_model(str(path), full_check=True)
    pixels = make_frame(128, 128).pixels[None]
    engines = (
        CpuEngine(path, (1, 128, 128), threads=1),
        OpenVinoEngine(path, (1, 128, 128), "fp32", threads=1),
    )
    ours, theirs = (engine.run(pixels) for engine in engines)
    names = ["class_ids", "peaks", "block_errors"]
    class_ids, peaks, block_errors = ReferenceEvaluator(str(path)).run(names, {"frames": pixels})
    for answer in (ours, theirs):
        assert np.mean(answer.class_ids == class_ids) > 0.9995
        np.testing.assert_allclose(answer.peaks[:, :20, 3], peaks[:, :20, 3], atol=1e-4)
        assert answer.block_errors.dtype == np.float32
        np.testing.assert_allclose(answer.block_errors, block_errors, rtol=1e-3)

    # Torch says the same of block 4; block 6 has no estimate, which reads 0.
    starts = []
    blocks = ode_blocks(model)
    hook = blocks[0].register_forward_pre_hook(lambda _, inputs: starts.append(inputs[0]))
    with torch.no_grad(), integrating(model, solvers):
        model(torch.from_numpy(pixels).permute(0, 3, 1, 2).float())
        expected = solvers[4].solve(blocks[0].dynamics, starts[0], rtol=TOLERANCE, atol=TOLERANCE).local_error
    hook.remove()
    np.testing.assert_allclose(block_errors, [[float(expected), 0.0]], rtol=1e-3)


def test_one_graph_serves_every_picture_size_and_batch(estimating_graph, make_frame):
    path, _ = estimating_graph
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    frames = np.stack([make_frame(128, 160, seed=seed).pixels for seed in (2, 3)])
    together = session.run(["block_errors"], {"frames": frames})[0]
    alone = [session.run(["block_errors"], {"frames": frame[None]})[0][0] for frame in frames]
    assert together.shape == (2, 2)
    np.testing.assert_allclose(together, alone, rtol=1e-3)


def test_solvers_without_an_estimate_return_none(model, make_frame, tmp_path):
    weights = WeightFile("fp32")
    solver = Unrolled(TABLEAUS["midpoint"], uniform_grid(1))
    onnx.save(_write(model, {4: solver, 6: solver}, weights), tmp_path / "plain.onnx")
    weights.save(tmp_path)
    with CpuEngine(tmp_path / "plain.onnx", (1, 128, 128), threads=1) as engine:
        assert engine.run(make_frame(128, 128).pixels[None]).block_errors is None
