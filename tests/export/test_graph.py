"""Every graph answers what torch answers, on every CPU engine, and keeps the bundle's contract."""

from __future__ import annotations

import numpy as np
import onnx
import openvino
import pytest
import torch
from onnx import TensorProto

from hemonode.errors import ExportError
from hemonode.export.graph.builder import OPERATORS
from hemonode.export.graph.weights import ALIGNMENT, WeightFile
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.reference import predict
from hemonode.export.session import GraphSession
from hemonode.export.settings import integrating, parse_settings
from hemonode.runtime.prediction import Prediction

HEADS = Heads(countable_ids=(1, 2, 3))
# Every method is compared with torch block by block in test_block_graph.py.
SOLVERS = ["euler:1", "bs3:2", "rk4:3"]


def _torch_answer(model, solver, frame):
    (setting,) = parse_settings([] if solver is None else [solver], model)
    with integrating(model, setting.solvers):
        return predict(model, frame, HEADS)


def _assert_same(answer: Prediction, expected: Prediction, least: float = 0.9995, places: float = 0.99) -> None:
    assert len(np.unique(expected.class_ids)) >= 3, "the picture shows too few classes to prove anything"
    assert answer.class_ids.dtype == np.uint8
    assert np.mean(answer.class_ids == expected.class_ids) >= least
    assert answer.peaks.dtype == np.float32
    assert answer.peaks.shape == expected.peaks.shape == (1, 1024, 4)
    # A place within rounding of its neighbour may be a peak in one of the two only.
    found, wanted = ({tuple(row[:3]) for row in one.peaks[0] if row[3] > 0.05} for one in (answer, expected))
    assert len(wanted) > 20
    assert len(found & wanted) >= places * len(found | wanted)
    assert abs(answer.peaks[0, 0, 3] - expected.peaks[0, 0, 3]) < 1e-2


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_graph_equals_torch(model, write, make_frame, solver):
    session = GraphSession(write(model, solver))
    for frame in (make_frame(128, 128), make_frame(144, 208, seed=1)):
        _assert_same(session.predict(frame), _torch_answer(model, solver, frame))


@pytest.mark.parametrize("activation", ["relu", "silu", "softplus", "tanh"])
@pytest.mark.parametrize("convs", [1, 3])
def test_every_kind_of_ode_block_can_be_written(make_model, write, make_frame, activation, convs):
    model = make_model(ode_activation=activation, ode_convs=convs)
    frame = make_frame()
    _assert_same(GraphSession(write(model, "heun:2")).predict(frame), _torch_answer(model, "heun:2", frame))


def test_a_plain_unet_can_be_written(make_model, write, make_frame):
    model, frame = make_model(ode_blocks=()), make_frame()
    _assert_same(GraphSession(write(model, None)).predict(frame), _torch_answer(model, None, frame))


def test_a_batch_is_answered_frame_by_frame(model, write, make_frame):
    path = write(model, "rk4:1")
    frames = [make_frame(seed=seed) for seed in (4, 5)]
    session = GraphSession(path)
    singly = [session.predict(frame).class_ids[0] for frame in frames]
    batch = np.stack([frame.pixels for frame in frames])
    together = session._session.run(["class_ids"], {"frames": batch})[0]
    assert np.mean(together == np.stack(singly)) > 0.9995


def test_openvino_answers_as_torch_does(model, write, make_frame):
    frame = make_frame()
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(write(model, "rk4:1")), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answer = compiled(frame.pixels[None])
    _assert_same(Prediction(answer["class_ids"], answer["peaks"]), _torch_answer(model, "rk4:1", frame))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_graph_keeps_the_bundles_contract(model, write, precision):
    path = write(model, "rk4:1", precision)
    onnx.checker.check_model(path, full_check=True)
    graph = onnx.load(path, load_external_data=False)
    assert graph.ir_version == 8
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", 17)]
    assert {node.op_type for node in graph.graph.node} <= OPERATORS

    (frames,) = graph.graph.input
    assert (frames.name, frames.type.tensor_type.elem_type) == ("frames", TensorProto.UINT8)
    dims = frames.type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dims] == ["N", "H", "W", 3]
    outputs = {value.name: value.type.tensor_type.elem_type for value in graph.graph.output}
    assert outputs == {"class_ids": TensorProto.UINT8, "peaks": TensorProto.FLOAT}

    first, second = graph.graph.node[:2]
    assert (first.op_type, second.op_type) == ("Cast", "Transpose")
    assert onnx.helper.get_node_attr_value(first, "to") == TensorProto.FLOAT


def test_the_list_of_peaks_has_a_constant_length(model, write):
    graph = onnx.load(write(model, "euler:1")).graph
    (top_k,) = (node for node in graph.node if node.op_type == "TopK")
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    assert constants[top_k.input[1]].tolist() == [1024]


def test_ten_steps_cost_no_new_weights_but_biases(model):
    weights = WeightFile("fp32")
    sizes = []
    for setting in parse_settings(["euler:1", "rk4:10"], model):
        with integrating(model, setting.solvers):
            graph = write_graph(model, setting.name, HEADS, weights)
        assert len(graph.SerializeToString()) < 200_000
        sizes.append(weights._end)
    assert sizes[1] < 1.3 * sizes[0]  # the convolutions of this small network are hardly larger than its biases


def test_weights_lie_aligned_in_a_file_beside_the_graph(model, write):
    for tensor in onnx.load(write(model, "euler:1"), load_external_data=False).graph.initializer:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        if entries:
            assert entries["location"] == "weights.fp32.bin"
            assert int(entries["offset"]) % ALIGNMENT == 0


def test_a_weight_that_fp16_cannot_hold_is_refused(make_model, write):
    model = make_model()
    with torch.no_grad():
        model.mask_head.weight[0, 0] = 1e5
    with pytest.raises(ExportError, match=r"mask_head\.weight.* reaches 1e\+05, which fp16 cannot hold"):
        write(model, "euler:1", "fp16")


def test_a_module_without_an_emitter_is_named(make_model, write):
    model = make_model()
    model.encoder[0][0][2] = torch.nn.GELU()
    with pytest.raises(ExportError, match=r"'encoder\.0\.0\.2' is a GELU, which has no ONNX emitter"):
        write(model, "euler:1")


def test_an_adaptive_solver_cannot_be_written(model):
    with pytest.raises(ExportError, match="ODE block 4 has no unrolled solver"):
        write_graph(model, "adaptive", HEADS, WeightFile("fp32"))
