"""FP16 graphs: what is FP16 in them, that FP16 arithmetic is enough, and what stays in FP32 where it is not."""

from __future__ import annotations

import math

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from hemonode.errors import ExportError
from hemonode.export.frames import as_batch
from hemonode.export.graph.writer import Heads
from hemonode.export.half.block_rounding import block_rounding, check_tolerance
from hemonode.export.half.parts import fewest_parts, parts_of
from hemonode.export.half.rounding import RoundedSession, rounded
from hemonode.export.half.trial import Demands, Expected, HalfSearch, Largest
from hemonode.export.reference import adaptive_answer, predict
from hemonode.export.session import MagnitudeSession, drafted_graph, open_graph
from hemonode.export.settings import Setting, integrating, parse_settings

HEADS = Heads(countable_ids=(1, 2, 3))


def _torch_answer(model, solver, frame):
    (setting,) = parse_settings([solver], model)
    with integrating(model, setting.solvers):
        return predict(model, frame, HEADS)


def _agreement(answer, expected) -> float:
    assert len(np.unique(expected.class_ids)) >= 3, "the picture shows too few classes to prove anything"
    return float(np.mean(answer.class_ids == expected.class_ids))


def _types(graph) -> dict[str, int]:
    inferred = onnx.shape_inference.infer_shapes(graph, strict_mode=True).graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*inferred.value_info, *inferred.output)}
    return types | {tensor.name: tensor.data_type for tensor in graph.graph.initializer}


@pytest.fixture(scope="module")
def hard_model(make_model):
    """The same function as `model`, but its bottom stage passes through values that FP16 does not hold."""
    model = make_model()
    norm, second = model.bottom[0][1], model.bottom[0][3]
    with torch.no_grad():
        for parameter in (norm.weight, norm.bias):
            parameter *= 2.0**18
        second.weight /= 2.0**18
    return model


# What is FP16


def test_fp16_is_written_into_the_graph_and_states_sums_and_peaks_stay_fp32(model, write):
    graph = onnx.load(write(model, "rk4:2", "fp16"))
    types = _types(graph)
    for node in graph.graph.node:
        if node.op_type in ("Conv", "Relu"):
            assert {types[name] for name in (*node.input, *node.output)} == {TensorProto.FLOAT16}, node.name
        if node.op_type == "Add" or (node.op_type in ("TopK", "ArgMax") and node.input):
            assert types.get(node.input[0]) == TensorProto.FLOAT, node.name


@pytest.mark.parametrize("estimate", [False, True])
@pytest.mark.parametrize("solver", ["euler:1", "rk4:1", "rk4:2", "bs3:1", "dopri5:2"])
def test_every_cast_has_its_reason(model, write, solver, estimate):
    """Those that the types ask for: f takes and gives FP16, states are FP32, and so are both ends of the network."""
    (setting,) = parse_settings([solver], model, estimate=estimate)
    ends = 2 + 2 + 2  # uint8 pixels to FP32 to FP16; two heads to FP32; argmax to float to uint8
    ends += 2  # a peak's row and column, from integers
    expected = ends
    for unrolled in setting.solvers.values():
        evaluations = unrolled.evaluations
        # f is evaluated at h(0), which is FP16 already, and at states that are narrowed each.
        narrowed = evaluations - 1
        # h(1) is narrowed for what follows; an estimate may have evaluated f there, which does it, too.
        leaves = 0 if estimate and unrolled.scheme.needs_end_slope else 1
        expected += evaluations + narrowed + 1 + leaves
    casts = [
        node for node in onnx.load(write(model, solver, "fp16", estimate=estimate)).graph.node if node.op_type == "Cast"
    ]
    assert len(casts) == expected


def test_no_value_is_cast_to_and_fro(model, write):
    graph = onnx.load(write(model, "rk4:2", "fp16", kept_fp32=("bottom", "decoder.0.1"))).graph
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in makers and makers[node.input[0]].op_type == "Cast":
            # TensorRT reaches uint8 from float only.
            assert node.output == ["class_ids"]
    targets = [(node.input[0], node.attribute[0].i) for node in graph.node if node.op_type == "Cast"]
    assert len(targets) == len(set(targets))


def test_a_part_kept_in_fp32_costs_a_cast_on_each_side_and_none_inside(model, write):
    def casts(*kept):
        return [
            n.name for n in onnx.load(write(model, "rk4:1", "fp16", kept_fp32=kept)).graph.node if n.op_type == "Cast"
        ]

    plain, block_kept = casts(), casts("encoder.3.1")
    # Instead of the block's own 4 + 3 + 2: h(0) on its way in, and what follows, the pool and the skip, on its way out.
    assert sum(name.startswith("ode4") for name in plain) == 9
    assert sum(name.startswith("ode4") for name in block_kept) == 1
    assert len(plain) - len(block_kept) == 9 - 3


# FP16 arithmetic on a CPU


def test_rounding_is_that_of_fp16(tmp_path):
    """2048 + 1 and 300 · 300 in FP16, and a sum that stays FP32."""
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Add", ["half", "one"], ["sum"]),
        helper.make_node("Mul", ["half", "half"], ["square"]),
        helper.make_node("Cast", ["sum"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["square"], ["b"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["x", "x"], ["c"]),
    ]
    one = helper.make_tensor("one", TensorProto.FLOAT16, [1], np.ones(1, np.float16))
    names = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xabc"]
    graph = helper.make_graph(nodes, "tiny", names[:1], names[1:], [one])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    with drafted_graph(rounded(model), tmp_path) as draft:
        session = open_graph(draft)
    a, b, c = session.run(None, {"x": np.array([2048.0, 300.1], np.float32)})
    assert a.tolist() == [2048.0, 301.0]
    assert np.isinf(b).all()
    assert c[1] == np.float32(300.1) * 2


def test_an_fp16_graph_answers_as_torch_does_and_as_onnxs_own_evaluator(model, write, make_frame):
    frame = make_frame(128, 128)
    path = write(model, "rk4:1", "fp16")
    expected = _torch_answer(model, "rk4:1", frame)
    answer = RoundedSession(onnx.load(path, load_external_data=False), path.parent).predict(frame)
    assert _agreement(answer, expected) > 0.99
    # It rounds each value as the graph says, too; only its convolutions round inside.
    with np.errstate(over="ignore", invalid="ignore"):
        strict = ReferenceEvaluator(str(path)).run(["class_ids"], {"frames": as_batch(frame)})[0]
    assert np.mean(answer.class_ids == strict) > 0.99


def test_magnitudes_say_which_convolution_would_overflow(model, hard_model, write, make_frame):
    before, after = (MagnitudeSession(write(each, "euler:1")).measure(make_frame()) for each in (model, hard_model))
    assert before.keys() == after.keys()
    assert max(before.values()) < 1e3
    assert {name for name, value in after.items() if value > 6e4} == {"bottom.0.0/Conv_0", "bottom.0.3/Conv_0"}


# What must stay in FP32


@pytest.mark.parametrize("needed", ["", "a", "j", "cg", "cde", "acj"])
def test_bisecting_finds_the_parts_that_are_needed(needed):
    tried = []

    def holds(kept):
        tried.append(kept)
        return set(needed) <= set(kept)

    assert fewest_parts("abcdefghij", holds) == tuple(needed)
    between = max("abcdefghij".find(needed[-1:]) - "abcdefghij".find(needed[:1]) - 1, 0) if needed else 0
    assert len(tried) <= 2 + 2 * math.ceil(math.log2(10)) + between


def test_where_nothing_is_enough_none_is_found():
    assert fewest_parts("abc", lambda _: False) is None


def test_parts_are_stages_and_ode_blocks(model):
    parts = parts_of(model)
    assert {"encoder.0", "encoder.3.0", "encoder.3.1", "bottom", "decoder.0.1", "heat_head", "mask_head"} <= set(parts)
    owners = [next(part for part in parts if f"{name}.".startswith(f"{part}.")) for name, _ in model.named_parameters()]
    assert set(owners) == set(parts), "every parameter lies in one part"


def _search(model, frames, magnitudes, agreement=0.99):
    (setting,) = parse_settings(["euler:1"], model)
    expected = [Expected(frame, _torch_answer(model, "euler:1", frame)) for frame in frames]
    return HalfSearch(model, setting, HEADS, expected, Demands(agreement, magnitudes, 6e4))


def _magnitudes(model, write, frame):
    measured = MagnitudeSession(write(model, "euler:1")).measure(frame)
    return {name: Largest(value, frame.name) for name, value in measured.items()}


def test_only_the_part_that_overflows_stays_in_fp32(hard_model, write, make_frame):
    frames = [make_frame(128, 128, seed=seed) for seed in (1, 2)]
    found = _search(hard_model, frames, _magnitudes(hard_model, write, frames[0])).run()
    assert found.kept_fp32 == ("bottom",)
    for frame, answer in zip(frames, found.predictions, strict=True):
        assert _agreement(answer, _torch_answer(hard_model, "euler:1", frame)) >= 0.99


def test_a_part_that_could_overflow_stays_in_fp32_though_these_pictures_do_not_show_it(model, write, make_frame):
    frame = make_frame(128, 128)
    magnitudes = {**_magnitudes(model, write, frame), "bottom.0.3/Conv_0": Largest(6.4e4, "noise0")}
    assert _search(model, [frame], magnitudes).run().kept_fp32 == ("bottom",)


def test_an_easy_network_stays_fp16_throughout(model, write, make_frame):
    frame = make_frame(128, 128)
    assert _search(model, [frame], _magnitudes(model, write, frame)).run().kept_fp32 == ()


def test_where_fp16_cannot_agree_the_error_says_on_which_picture_and_by_how_much(model, write, make_frame):
    frame = make_frame(128, 128)
    with pytest.raises(ExportError, match=r"eulerx1 cannot be written in fp16.*: on noise0 \d+\.\d+% .* below 110"):
        _search(model, [frame], _magnitudes(model, write, frame), agreement=1.1).run()


@pytest.fixture(scope="module")
def answer(model, make_frame):
    return adaptive_answer(model, make_frame(128, 128), HEADS)


def test_a_tolerance_that_fp16_cannot_hold_is_refused_with_what_it_can(model, answer):
    (setting,) = parse_settings(["rk4:2"], model)
    roundings = block_rounding(model, setting, [answer])
    assert roundings.keys() == {4, 6}
    assert all(1e-5 < rounding.error < 1e-2 for rounding in roundings.values())
    check_tolerance(Setting("tol1e-2", setting.solvers, 1e-2), roundings)
    worst = max(rounding.error for rounding in roundings.values())
    with pytest.raises(ExportError, match=rf"1e-06 is tighter than FP16 can hold.* {worst:.2g} on noise0"):
        check_tolerance(Setting("tol1e-6", setting.solvers, 1e-6), roundings)


def test_a_block_kept_in_fp32_is_not_rounded(model, answer):
    (setting,) = parse_settings(["rk4:1"], model, estimate=True)
    assert block_rounding(model, setting, [answer], ("encoder.3.1",)).keys() == {6}
