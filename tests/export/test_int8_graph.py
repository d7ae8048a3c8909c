"""INT8 graphs: what is in 8 bits and what is not, the grids, and that both CPU engines compute what the graph says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
import torch
from onnx import TensorProto, helper

from hemonode.errors import ExportError
from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.builder import Value
from hemonode.export.graph.eight_bits import LARGEST_WEIGHT, LEVELS, ConvRanges, Range, eight_bit_weight
from hemonode.export.graph.quantised import QuantisedBuilder
from hemonode.export.graph.weights import WeightFile, WeightOverflow
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.int8.calibration import calibrate
from hemonode.export.int8.engines import open_everywhere
from hemonode.export.int8.parts import quantisable_parts
from hemonode.export.int8.spans import rounded_to, span_of
from hemonode.export.session import GraphSession, drafted_graph, open_graph
from hemonode.export.settings import integrating, parse_settings

HEADS = Heads(countable_ids=(1, 2, 3))


@pytest.fixture(scope="module")
def ranges(model, make_frame, tmp_path_factory):
    return calibrate(_write(model, tmp_path_factory.mktemp("fp32"), "fp32"), [make_frame(seed=seed) for seed in (0, 1)])


@pytest.fixture(scope="module")
def small(model, ranges, tmp_path_factory):
    """The INT8 graph with every part in 8 bits that may be."""
    folder = tmp_path_factory.mktemp("int8")
    fp32 = onnx.load(_write(model, folder, "fp32"))
    chosen = [conv for part in quantisable_parts(model, fp32) for conv in part.convs]
    return _write(model, folder, "int8", {conv: ranges[conv] for conv in chosen})


def _write(model, folder, precision, ranges=None):
    (setting,) = parse_settings(["rk4:1"], model)
    weights = WeightFile(precision)
    with integrating(model, setting.solvers):
        graph = write_graph(model, setting.name, HEADS, weights, ranges=ranges or {})
    weights.save(folder)
    path = folder / f"{setting.name}.{precision}.onnx"
    onnx.save(graph, path)
    return path


def _makers(graph) -> dict[str, onnx.NodeProto]:
    return {output: node for node in graph.node for output in node.output}


# What is in 8 bits


def test_convolutions_between_the_first_and_the_heads_take_int8_weights_and_uint8_values(small):
    onnx.checker.check_model(small, full_check=True)
    graph = onnx.load(small, load_external_data=False).graph
    makers, tensors = _makers(graph), {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "Conv":
            continue
        if node.name.startswith(("encoder.0.0.0/", "mask_head", "heat_head")):
            assert node.input[1] in tensors, f"{node.name} has FP32 weights"
            continue
        value, weight, bias = (makers[name] for name in node.input)
        assert {value.op_type, weight.op_type, bias.op_type} == {"DequantizeLinear"}, node.name
        kernel, scale, zero = (tensors[name] for name in weight.input)
        assert kernel.data_type == TensorProto.INT8
        assert {entry.key: entry.value for entry in kernel.external_data}["location"] == "weights.int8.bin"
        assert list(scale.dims) == list(kernel.dims[:1]), "per output channel"
        assert not onnx.numpy_helper.to_array(zero).any()
        assert makers[value.input[0]].op_type == "QuantizeLinear"
        assert tensors[bias.input[0]].data_type == TensorProto.INT32


def test_what_an_8_bit_convolution_gives_is_rounded_before_anything_else_takes_it(small, ranges):
    """Engines fuse a convolution with the nodes around it, and compute it in 8 bits, only then."""
    graph = onnx.load(small, load_external_data=False).graph
    takers = {name: [node for node in graph.node if name in node.input] for name in _makers(graph)}
    for node in graph.node:
        if node.name in ranges and node.name.startswith(("ode", "bottom", "decoder")):
            (taker,) = takers[node.output[0]]
            (last,) = takers[taker.output[0]] if taker.op_type == "Relu" else [taker]
            assert last.op_type == "QuantizeLinear", node.name


def test_an_ode_blocks_state_and_sums_stay_fp32(small):
    model = onnx.load(small, load_external_data=False)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {value.name: value.type.tensor_type.elem_type for value in inferred.value_info}
    sums = [node for node in model.graph.node if node.name.startswith("ode") and node.op_type in ("Add", "Mul")]
    assert len(sums) > 10
    for node in sums:
        assert types[node.output[0]] == TensorProto.FLOAT
    makers = _makers(model.graph)
    added = [makers[name].op_type for node in sums if node.op_type == "Add" for name in node.input]
    # A state is never rounded on its way from sum to sum; only h(0) and slopes come out of 8 bits.
    assert added.count("Add") >= 2


def test_each_evaluation_of_f_has_ranges_of_its_own_and_all_share_their_weights(small, ranges):
    takes = {conv: span for conv, (span, _) in ranges.items() if conv.startswith("ode4.dynamics/")}
    assert len(takes) == 8, "two convolutions, four evaluations"
    assert len(set(takes.values())) == 8
    graph = onnx.load(small, load_external_data=False).graph
    kernels = {node.input[1] for node in graph.node if node.name in takes}
    assert len(kernels) == 2


def test_pooling_what_8_bits_hold_loses_nothing(small):
    graph = onnx.load(small, load_external_data=False).graph
    makers = _makers(graph)
    rounded = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    pools = [
        (makers[node.input[0]], rounded[node.output[0]])
        for node in graph.node
        if node.op_type == "MaxPool" and makers[node.input[0]].op_type == "DequantizeLinear"
    ]
    assert len(pools) == 3, "all but the one behind the ODE block"
    for before, after in pools:
        assert before.input[1:] == after.input[1:], "the same scale and zero point"


def test_both_engines_answer_as_fp32_does_but_for_rounding(model, small, make_frame):
    frame = make_frame(128, 160, seed=5)
    exact = GraphSession(small.with_name("rk4x1.fp32.onnx")).predict(frame)
    answers = {name: session.predict(frame) for name, session in open_everywhere(small).items()}
    assert [name.split()[0] for name in answers] == ["ONNX", "OpenVINO"]
    for answer in answers.values():
        share = np.mean(answer.class_ids == exact.class_ids)
        assert 0.95 < share < 1, "a random network's masks hang by a thread"


# The grids


def test_values_beyond_the_range_saturate_and_zero_is_exact():
    span = Range(-1.0, 3.0)
    back = rounded_to(np.array([-9, -1, 0, 0.5, 3, 900], np.float32), span)
    assert back[2] == 0
    np.testing.assert_allclose(back, [-1, -1, 0, 0.5, 3, 3], atol=4 / LEVELS)


@pytest.mark.parametrize("span", [Range(0.0, 0.0), Range(1.0, 2.0), Range(-2.0, -1.0)])
def test_zero_is_on_every_grid(span):
    assert span.scale > 0
    assert rounded_to(np.zeros(1, np.float32), span)[0] == 0


def test_rare_values_do_not_coarsen_the_grid():
    values = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    values[:3] = -20, 20, 30
    signed, positive = span_of(values), span_of(np.maximum(values, 0))
    assert 5 < signed.high < 25
    assert positive.low == 0
    assert 3 < positive.high < 10


def test_weights_are_rounded_per_channel_and_an_almost_dead_one_keeps_its_bias():
    kernel = np.random.default_rng(0).normal(size=(3, 4, 3, 3))
    kernel[1] *= 1e-12
    kernel[2] = 0
    values, scales = eight_bit_weight(kernel)
    assert np.abs(values).max() == LARGEST_WEIGHT
    np.testing.assert_allclose(values[0] * scales[0], kernel[0], atol=scales[0] / 2)
    assert scales[1] == scales[2] > scales[0] / 1e4
    assert not eight_bit_weight(np.zeros((2, 1, 1, 1))).values.any()


# What an engine makes of them


def _one_conv(tmp_path, kernel, bias, ranges):
    """A graph of one 3×3 convolution without padding: x [1, C, H, W] to y."""
    weights = WeightFile("int8")
    graph = QuantisedBuilder(weights, {"Conv_0": ranges})
    named = ("k", np.asarray(kernel, np.float64)), ("b", np.asarray(bias, np.float64))
    y = graph.op("Abs", [graph.conv(Value("x", TensorProto.FLOAT), *named, {"kernel_shape": [3, 3]})])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "C", "H", "W"]) for name in ("x", y.name)]
    weights.save(tmp_path)
    return graph.model("one", ends[:1], ends[1:])


def test_sums_of_the_largest_products_are_exact(tmp_path):
    """Two products of 255 · 127 exceed 16 bits, at which CPUs without 8-bit dot products would cut them off."""
    if not _has_dot_products():
        pytest.skip("this CPU has no 8-bit dot products: an engine's check against fp32 is what guards it")
    model = _one_conv(tmp_path, np.ones((1, 16, 3, 3)), [0], ConvRanges(Range(0, 1), Range(0, 144)))
    with drafted_graph(model, tmp_path) as draft:
        (y,) = open_graph(draft).run(None, {"x": np.ones((1, 16, 8, 8), np.float32)})
    np.testing.assert_allclose(y, 144, rtol=1e-4)


def _has_dot_products() -> bool:
    info = Path("/proc/cpuinfo")
    return info.exists() and any(flag in info.read_text() for flag in ("avx512_vnni", "avx_vnni", "asimddp"))


def test_values_that_calibration_never_saw_saturate_on_both_engines(tmp_path):
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 1, 1] = 1
    model = _one_conv(tmp_path, kernel, [0.5], ConvRanges(Range(0, 2), Range(-1, 4)))
    x = np.full((1, 1, 4, 4), 1e6, np.float32)
    with drafted_graph(model, tmp_path) as draft:
        (ours,) = open_graph(draft).run(None, {"x": x})
        (theirs,) = openvino.Core().compile_model(draft, "CPU")([x]).values()
    np.testing.assert_allclose(ours, 2.5, atol=0.02)
    np.testing.assert_allclose(theirs, 2.5, atol=0.02)


def test_a_bias_that_32_bits_cannot_hold_is_refused(tmp_path):
    with pytest.raises(WeightOverflow, match="bias 'b' is too large"):
        _one_conv(tmp_path, np.ones((1, 1, 3, 3)), [1e9], ConvRanges(Range(0, 1), Range(0, 1)))


# Calibration


def test_ranges_take_pictures(model, tmp_path):
    with pytest.raises(ExportError, match="ask for at least one"):
        calibrate(_write(model, tmp_path, "fp32"), [])


def test_a_network_whose_values_overflow_cannot_be_calibrated(make_model, tmp_path):
    model = make_model()
    with torch.no_grad():
        model.bottom[0][1].bias.fill_(3e38)
    black = PreparedFrame("black", np.zeros((128, 128, 3), np.uint8))
    with pytest.raises(ExportError, match="on black the network's values are not finite"):
        calibrate(_write(model, tmp_path, "fp32"), [black])


def test_parts_leave_out_the_first_convolution_and_the_heads(model, small):
    parts = quantisable_parts(model, onnx.load(small.with_name("rk4x1.fp32.onnx"), load_external_data=False))
    convs = [conv for part in parts for conv in part.convs]
    assert len(convs) == len(set(convs))
    assert not [conv for conv in convs if conv.startswith(("encoder.0.0.0/", "mask_head", "heat_head"))]
    assert {"encoder.3.1", "bottom", "decoder.0.1"} <= {part.path for part in parts}
    assert 0.9 < sum(part.share for part in parts) < 1
