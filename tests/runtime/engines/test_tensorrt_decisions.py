"""What a build is told to do: versions, flags, types and workspace, decided without TensorRT."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from hemonode.errors import EngineError
from hemonode.runtime.engines import tensorrt_facts
from hemonode.runtime.engines.tensorrt_facts import check_version, has_fast_fp16, tensorrt_version, workspace_cap
from hemonode.runtime.engines.tensorrt_features import Features, builder_flags, network_flags
from hemonode.runtime.engines.tensorrt_progress import PhaseTree
from hemonode.runtime.engines.tensorrt_types import computing_types, constrain_layers, read_types
from hemonode.runtime.plans.messages import Progress

V8 = Features(
    version="8.6.1",
    explicit_batch=True,
    strong_flag=False,
    layer_precision=True,
    fp16_flag=True,
    int8_flag=True,
    tf32_flag=True,
    progress_monitor=False,
    parser_names_nodes=False,
    foreign_tactics=("CUBLAS", "CUDNN"),
)
V10 = replace(V8, version="10.3.0", strong_flag=True)
V11 = replace(
    V8,
    version="11.4.0",
    explicit_batch=False,
    strong_flag=True,
    layer_precision=False,
    fp16_flag=False,
    int8_flag=False,
    foreign_tactics=(),
)
FP32, FP16, INT8 = {"FLOAT", "UINT8", "INT32"}, {"FLOAT", "HALF", "UINT8"}, {"FLOAT", "INT8", "UINT8"}


@pytest.mark.parametrize(
    "version", ["8.6.0", "8.6.1.post1", "10.0.1", "10.3.0", "10.16.1", "11.4.0.106", "12.0", "13.1"]
)
def test_versions_from_8_6_on_are_taken_newer_ones_too(version: str) -> None:
    check_version(version)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("8.5.3.1", "TensorRT 8.5.3.1 is too old; 8.6 or later is needed"),
        ("7.2", "TensorRT 7.2 is too old"),
        ("10.2.0", "TensorRT 10.2.0 is known to be faulty; install 10.3 or later"),
        ("10.2.0.post1", "known to be faulty"),
        ("unknown", "says that its version is 'unknown', which is none"),
    ],
)
def test_versions_that_cannot_be_used_are_refused(version: str, told: str) -> None:
    with pytest.raises(EngineError, match=told):
        check_version(version)


def test_without_tensorrt_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setattr(tensorrt_facts, "_JETSON", tmp_path / "nv_tegra_release")
    with pytest.raises(EngineError, match=r"^TensorRT is not installed; pip install 'hemonode\[tensorrt\]'\.$"):
        tensorrt_version()
    (tmp_path / "nv_tegra_release").touch()
    with pytest.raises(EngineError, match=r"comes with JetPack .* made with --system-site-packages\.$"):
        tensorrt_version()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "raise ImportError('libnvinfer.so.10: cannot open shared object file')",
            r"cannot be loaded \(libnvinfer.so.10: cannot open",
        ),
        ("raise FileNotFoundError('Could not find: nvinfer_10.dll')", "cannot be loaded"),
        ("import nothing_of_the_kind", r"cannot be loaded \(No module named 'nothing_of_the_kind'\)"),
        ("", "cannot be loaded"),
        ("__version__ = '8.5.1'", "too old"),
    ],
)
def test_a_broken_tensorrt_is_told_with_its_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, told: str
) -> None:
    (tmp_path / "tensorrt.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    del sys.modules["tensorrt"]
    with pytest.raises(EngineError, match=told):
        tensorrt_version()


def test_fp16_is_fast_from_volta_on_and_on_few_gpus_before() -> None:
    fast = {"5.3", "6.0", "6.2", "7.0", "7.2", "7.5", "8.0", "8.7", "9.0", "10.0", "11.0", "12.0"}
    slow = {"5.0", "5.2", "6.1"}
    assert {capability for capability in fast | slow if has_fast_fp16(capability)} == fast


def test_the_workspace_leaves_more_to_others_where_they_share_the_memory() -> None:
    assert workspace_cap(8 << 30, integrated=False) == 4 << 30
    assert workspace_cap(8 << 30, integrated=True) == 2 << 30


@pytest.mark.parametrize(
    ("features", "flags"),
    [(V8, ("EXPLICIT_BATCH",)), (V10, ("EXPLICIT_BATCH", "STRONGLY_TYPED")), (V11, ("STRONGLY_TYPED",))],
)
def test_networks_are_strongly_typed_where_that_can_be_had(features: Features, flags: tuple[str, ...]) -> None:
    assert network_flags(features) == flags


@pytest.mark.parametrize(
    ("precision", "types"), [("fp32", FP32), ("fp16", FP16), ("int8", INT8), ("int8", INT8 | FP16)]
)
@pytest.mark.parametrize("features", [V10, V11])
def test_a_strongly_typed_network_gets_no_permission_which_it_would_reject(features, precision, types) -> None:
    flags = builder_flags(features, precision, types)
    assert flags.switch_on == ()
    assert flags.switch_off == ("TF32",)
    assert not flags.constrain_layers


@pytest.mark.parametrize(
    ("precision", "types", "on", "constrained"),
    [
        ("fp32", FP32, (), False),
        ("fp16", FP16, ("FP16", "OBEY_PRECISION_CONSTRAINTS"), True),
        ("int8", INT8, ("INT8",), False),
        ("int8", INT8 | FP16, ("INT8", "FP16", "OBEY_PRECISION_CONSTRAINTS"), True),
    ],
)
def test_a_weakly_typed_network_is_allowed_what_its_graph_holds_and_held_to_it(
    precision, types, on, constrained
) -> None:
    flags = builder_flags(V8, precision, types)
    assert flags.switch_on == on
    assert flags.switch_off == ("TF32",)
    assert flags.constrain_layers is constrained
    assert flags.tactics_off == ("CUBLAS", "CUDNN")


def test_a_graph_of_another_precision_is_refused_before_it_is_built() -> None:
    with pytest.raises(
        EngineError, match=r"was to be fp16 but has no tensor of that type \(only FLOAT, INT32, UINT8\)"
    ):
        builder_flags(V11, "fp16", FP32)
    with pytest.raises(EngineError, match="was to be fp32 but holds tensors of lower precision"):
        builder_flags(V11, "fp32", FP16)


def test_a_weakly_typed_tensorrt_without_the_flag_is_refused() -> None:
    with pytest.raises(EngineError, match=r"8\.6\.1 is weakly typed but has no FP16 flag, so it would compute in fp32"):
        builder_flags(replace(V8, fp16_flag=False), "fp16", FP16)


# A network as TensorRT 8.6 shows it after parsing: types between layers are told as FLOAT, whatever they will be.


def _tensor(name: str, dtype: str = "FLOAT") -> SimpleNamespace:
    return SimpleNamespace(name=name, dtype=SimpleNamespace(name=dtype))


class Layer(SimpleNamespace):
    """`Layer("CONVOLUTION", "conv", [taken], [given])`; keeps what it was told."""

    def __init__(self, kind: str, name: str, takes: list[object], gives: list[object]) -> None:
        super().__init__(
            type=SimpleNamespace(name=kind),
            name=name,
            num_inputs=len(takes),
            num_outputs=len(gives),
            get_input=takes.__getitem__,
            get_output=gives.__getitem__,
            precision=None,
            outputs={},
        )

    def set_output_type(self, place: int, dtype: str) -> None:
        self.outputs[place] = dtype


def _network() -> SimpleNamespace:
    t = {name: _tensor(name) for name in ("float", "wide", "conv", "act", "back", "state", "scores", "table")}
    frames, half, index = _tensor("frames", "UINT8"), _tensor("half", "HALF"), _tensor("index", "INT32")
    above, step = _tensor("above", "BOOL"), _tensor("step")
    layers = [
        Layer("CAST", "to_float", [frames], [t["float"]]),
        Layer("CAST", "to_half", [t["float"]], [half]),
        Layer("CONVOLUTION", "conv", [half, None], [t["conv"]]),
        Layer("ACTIVATION", "act", [t["conv"]], [t["act"]]),
        Layer("CONCATENATION", "join", [t["act"], half], [t["wide"]]),
        Layer("CAST", "to_state", [t["wide"]], [t["back"]]),
        Layer("CONSTANT", "one_step", [], [step]),
        Layer("ELEMENTWISE", "add", [t["back"], step], [t["state"]]),
        Layer("ELEMENTWISE", "compare", [t["state"], step], [above]),
        Layer("SELECT", "where", [above, t["state"], step], [t["table"]]),
        Layer("TOPK", "best", [t["table"]], [t["scores"], index]),
        Layer("ELEMENTWISE", "place", [index, index], [_tensor("column", "INT32")]),
    ]
    return SimpleNamespace(
        num_inputs=1,
        get_input=[frames].__getitem__,
        num_layers=len(layers),
        get_layer=layers.__getitem__,
        layers={layer.name: layer for layer in layers},
    )


DTYPES = SimpleNamespace(FLOAT="float32", HALF="float16")


def test_types_follow_the_graph_where_tensorrt_does_not_tell_them() -> None:
    types = read_types(_network())
    assert {name for name, dtype in types.items() if dtype == "HALF"} == {"half", "conv", "act", "wide"}
    assert {name for name, dtype in types.items() if dtype == "FLOAT"} == {
        "float", "back", "step", "state", "table", "scores",
    }  # fmt: skip
    assert (types["above"], types["index"], types["frames"]) == ("BOOL", "INT32", "UINT8")


def test_each_computing_layer_is_told_its_type_and_no_other_layer_is() -> None:
    network = _network()
    told = constrain_layers(network, read_types(network), DTYPES)
    precisions = {name: layer.precision for name, layer in network.layers.items() if layer.precision}
    assert precisions == {
        "conv": "float16",
        "act": "float16",
        "add": "float32",
        "compare": "float32",
        "where": "float32",
        "best": "float32",
    }
    outputs = {name: layer.outputs for name, layer in network.layers.items() if layer.outputs}
    assert outputs == {
        "conv": {0: "float16"},
        "act": {0: "float16"},
        "join": {0: "float16"},
        "add": {0: "float32"},
        "where": {0: "float32"},
        "best": {0: "float32"},
    }
    assert told == 7


def test_what_is_dequantised_just_before_is_left_to_compute_in_int8() -> None:
    activation, weights = _tensor("activation", "INT8"), _tensor("weights", "INT8")
    scale, wide, kernel, out = _tensor("scale"), _tensor("wide"), _tensor("kernel"), _tensor("out")
    layers = [
        Layer("CONSTANT", "scale", [], [scale]),
        Layer("DEQUANTIZE", "dq", [activation, scale], [wide]),
        Layer("DEQUANTIZE", "dq_weights", [weights, scale], [kernel]),
        Layer("CONVOLUTION", "conv", [wide, kernel], [out]),
        Layer("CONVOLUTION", "last", [out], [_tensor("answer")]),
    ]
    network = SimpleNamespace(
        num_inputs=1,
        get_input=[activation].__getitem__,
        num_layers=len(layers),
        get_layer=layers.__getitem__,
    )
    types = read_types(network)
    assert computing_types(network, types, frozenset({"CONVOLUTION"})) == {"conv": "INT8", "last": "FLOAT"}
    assert constrain_layers(network, types, DTYPES) == 1
    assert layers[3].precision is None


# Progress.


def _told(steps: Iterator[tuple[object, ...]]) -> list[Progress]:
    told: list[Progress] = []
    tree = PhaseTree(told.append)
    for call, *arguments in steps:
        getattr(tree, call)(*arguments)
    return told


def test_inner_phases_move_the_outer_one_by_fractions_of_its_steps() -> None:
    told = _told(
        iter(
            [
                ("start", "Building", None, 2),
                ("start", "Timing", "Building", 4),
                ("step", "Timing", 0),
                ("step", "Timing", 1),
                ("finish", "Timing"),
                ("step", "Building", 0),
                ("step", "Building", 1),
                ("finish", "Building"),
            ]
        )
    )
    assert [(each.phase, each.step) for each in told] == [
        ("Building", 0),
        ("Building", 125),
        ("Building", 250),
        ("Building", 500),
        ("Building", 1000),
    ]


def test_progress_never_falls_within_a_phase_whatever_order_it_is_told_in() -> None:
    calls = [
        ("start", "A", None, 3),
        ("start", "B", "A", 2),
        ("step", "B", 1),
        ("finish", "B"),
        ("start", "B", "A", 2),
        ("step", "A", 0),
        ("step", "B", 0),
        ("finish", "A"),
        ("start", "C", None, 1),
        ("finish", "C"),
        ("finish", "C"),
    ]
    for order in itertools.permutations(calls, 4):
        for phase, group in itertools.groupby(_told(iter(order)), key=lambda each: each.phase):
            steps = [each.step for each in group]
            assert steps == sorted(steps), (phase, order)
