"""What a plan computes in, read from the inspector's JSON.

No GPU made these samples: they are written after the fields and words that NVIDIA's documentation of the engine
inspector and of the change from 10 to 11 shows, with names of our own graph.
"""

from __future__ import annotations

import json

import pytest

from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt_inspect import check_precision, count_layers, doubts, read_layers

NHWC8 = "Channel major FP16 format where channel % 8 == 0"
LINEAR = "Row major linear FP32"
CONVOLUTIONS = {"encoder.0.0.0/Conv_0": "HALF", "ode4.dynamics/Conv_1": "HALF", "mask_head/Conv_0": "FLOAT"}


def _layer(name: str, kind: str, takes: list[str], gives: list[str], **more: object) -> dict[str, object]:
    def tensors(types: list[str], way: str) -> list[dict[str, object]]:
        return [
            {
                "Name": f"{name} {way} {i}",
                "Location": "Device",
                "Dimensions": [1, 16, 96, 128],
                "Format/Datatype": shown,
            }
            for i, shown in enumerate(types)
        ]

    return {
        "Name": name,
        "LayerType": kind,
        "Inputs": tensors(takes, "in"),
        "Outputs": tensors(gives, "out"),
        "TacticValue": "0x00000000000003ea",
        **more,
    }


V8 = {
    "Layers": [
        _layer(
            "Reformatting CopyNode for Input Tensor 0 to encoder.0.0.0/Conv_0 + encoder.0.0.2/Relu_0",
            "Reformat",
            [LINEAR],
            [NHWC8],
            ParameterType="Reformat",
            Origin="REFORMAT",
        ),
        _layer(
            "encoder.0.0.0/Conv_0 + encoder.0.0.2/Relu_0",
            "CaskConvolution",
            [NHWC8],
            [NHWC8],
            Weights={"Type": "Half", "Count": 432},
            TacticName="sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc_nhwc_tilesize128x64x32",
        ),
        _layer("ode4.dynamics/Conv_1", "CaskConvolution", [NHWC8], [NHWC8]),
        _layer("PWN(ode4/Cast_1, PWN(ode4/Mul_0, ode4/Add_0))", "PointWiseV2", [NHWC8, LINEAR], [LINEAR]),
        _layer("mask_head/Conv_0", "CaskConvolution", [LINEAR], [LINEAR]),
        _layer("after/TopK_0", "TopK", [LINEAR], [LINEAR, "Row major linear Int32"]),
        _layer("(Unnamed Layer* 12) [Constant]", "Constant", [], ["Row major linear Int32"]),
    ],
    "Bindings": ["frames", "class_ids", "peaks"],
}
# Layers that TensorRT compiled carry names of its own; what went into them is in their metadata alone.
V10 = {
    "Layers": [
        _layer(
            "__myl_CastTranSubMulCast_myl0_0", "kgen", ["UInt8"], ["Half"], Metadata="[ONNX Layer: normalise/Sub_0]"
        ),
        _layer(
            "__myl_ConvRelu_myl0_1",
            "conv",
            ["Half", "Half"],
            ["Half"],
            Metadata="[ONNX Layer: encoder.0.0.0/Conv_0]\x1f[ONNX Layer: encoder.0.0.2/Relu_0]",
        ),
        _layer(
            "ode4.dynamics/Conv_1 || ode4.dynamics/Conv_10",
            "CaskConvolution",
            [NHWC8],
            [NHWC8],
            Metadata="[ONNX Layer: ode4.dynamics/Conv_1]\x1e[ONNX Layer: ode4.dynamics/Conv_10]",
        ),
        _layer("mask_head/Conv_0", "CaskConvolution", [f"{LINEAR} format"], [f"{LINEAR} format"]),
    ],
    "Bindings": ["frames", "class_ids", "peaks"],
}
V11 = {
    "Layers": V10["Layers"],
    "I/O Tensors": [
        {
            "Name": "frames",
            "IOMode": "Input",
            "DataType": "UInt8",
            "Dimensions": [1, 192, 256, 3],
            "Location": "Device",
            "IsShapeInferenceIO": False,
            "ProfileInfo": [{"MinShape": [1, 192, 256, 3], "Format": "Row major linear UInt8 format (kLINEAR)"}],
        }
    ],
}


def _shown(sample: dict[str, object], **changes: dict[str, object]) -> str:
    """The sample as text, some layers changed by name."""
    layers = [{**layer, **changes.get(str(layer["Name"]), {})} for layer in sample["Layers"]]
    return json.dumps({**sample, "Layers": layers})


@pytest.mark.parametrize(
    ("sample", "counts"), [(V8, {"fp16": 3, "fp32": 2}), (V10, {"fp16": 3, "fp32": 1}), (V11, {"fp16": 3, "fp32": 1})]
)
def test_an_fp16_plan_passes_in_the_words_of_each_version(sample, counts) -> None:
    layers = read_layers(json.dumps(sample))
    check_precision(layers, "fp16", CONVOLUTIONS)
    assert count_layers(layers) == counts


def test_metadata_joined_by_raw_control_characters_is_read() -> None:
    check_precision(read_layers(json.dumps(V10).replace("\\u001f", "\x1f")), "fp16", CONVOLUTIONS)


def test_a_convolution_that_stayed_fp32_is_named_with_the_layer_it_is_in() -> None:
    wide = [{"Name": "x", "Dimensions": [1], "Format/Datatype": "Float"}]
    layers = read_layers(_shown(V10, __myl_ConvRelu_myl0_1={"Inputs": wide, "Outputs": wide}))
    with pytest.raises(
        EngineError,
        match=r"another precision than the fp16 graph has: encoder\.0\.0\.0/Conv_0 \(in __myl_ConvRelu_myl0_1\); b",
    ):
        check_precision(layers, "fp16", CONVOLUTIONS)


def test_an_fp16_plan_that_silently_stayed_fp32_names_a_few_layers_and_counts_the_rest() -> None:
    names = [f"conv_{i}" for i in range(9)]
    layers = read_layers(
        json.dumps({"Layers": [_layer(name, "CaskConvolution", [LINEAR], [LINEAR]) for name in names]})
    )
    with pytest.raises(EngineError, match=r"conv_0, conv_1, conv_2, conv_3, conv_4 and 4 more; build in fp32"):
        check_precision(layers, "fp16", dict.fromkeys(names, "HALF"))


def test_what_the_graph_keeps_in_fp32_must_not_become_fp16() -> None:
    half = {"Weights": {"Type": "Half", "Count": 64}}
    with pytest.raises(EngineError, match="mask_head/Conv_0; build in fp32"):
        check_precision(read_layers(_shown(V8, **{"mask_head/Conv_0": half})), "fp16", CONVOLUTIONS)


def test_a_convolution_with_casts_fused_into_it_is_known_by_what_it_holds() -> None:
    def sample(constants: str) -> str:
        held = [{"Name": "w", "Dimensions": [16, 16, 3, 3], "Format/Datatype": constants}]
        return json.dumps({"Layers": [_layer("conv", "conv", ["Float"], ["Float"], Constants=held)]})

    check_precision(read_layers(sample("Half")), "fp16", {"conv": "HALF"})
    with pytest.raises(EngineError, match="another precision than the fp16 graph has: conv"):
        check_precision(read_layers(sample("Float")), "fp16", {"conv": "HALF"})


def test_a_name_that_begins_like_another_is_not_taken_for_it() -> None:
    sample = {
        "Layers": [_layer("conv_10", "CaskConvolution", [LINEAR], [LINEAR]), _layer("conv_1", "conv", ["Half"], [])]
    }
    check_precision(read_layers(json.dumps(sample)), "fp16", {"conv_1": "HALF"})


def test_a_plan_that_proves_nothing_is_refused() -> None:
    sample = {"Layers": [_layer("{ForeignNode[a...z]}", "Myelin", ["UInt8"], ["Float"])]}
    with pytest.raises(EngineError, match=r"shows no layer that computes in fp16 \(it shows: fp32\)"):
        check_precision(read_layers(json.dumps(sample)), "fp16", CONVOLUTIONS)


def test_layers_with_names_of_tensorrts_own_prove_the_precision_by_their_types() -> None:
    sample = {"Layers": [_layer("__myl_Conv_myl0_1", "conv", ["Half"], ["Half"])]}
    check_precision(read_layers(json.dumps(sample)), "fp16", CONVOLUTIONS)


def test_an_fp32_plan_must_not_compute_in_tf32() -> None:
    def sample(tactic: str) -> str:
        return json.dumps({"Layers": [_layer("conv", "CaskConvolution", [LINEAR], [LINEAR], TacticName=tactic)]})

    check_precision(read_layers(sample("ampere_scudnn_128x64_relu_small_nn_v1")), "fp32", {"conv": "FLOAT"})
    with pytest.raises(EngineError, match=r"than the fp32 graph has: conv \(TF32\)"):
        check_precision(
            read_layers(sample("sm80_xmma_fprop_implicit_gemm_tf32f32_tf32f32_f32_nhwckrsc")), "fp32", {"conv": "FLOAT"}
        )


def test_an_int8_plan_must_take_int8() -> None:
    def sample(taken: str) -> str:
        return json.dumps({"Layers": [_layer("conv", "CaskConvolution", [taken], [NHWC8])]})

    check_precision(
        read_layers(sample("Thirty-two wide channel vectorized row major Int8 format")), "int8", {"conv": "INT8"}
    )
    with pytest.raises(EngineError, match="another precision than the int8 graph has: conv"):
        check_precision(read_layers(sample("Row major linear UInt8 format")), "int8", {"conv": "INT8"})


def test_an_ode_state_that_shows_fp16_alone_is_doubted_by_name() -> None:
    wanted = {"ode4/Mul_0": "FLOAT", "ode4/Add_0": "FLOAT"}
    assert doubts(read_layers(json.dumps(V8)), wanted) == ()
    name = "PWN(ode4/Cast_1, PWN(ode4/Mul_0, ode4/Add_0))"
    half = [{"Name": "x", "Dimensions": [1], "Format/Datatype": NHWC8}]
    layers = read_layers(_shown(V8, **{name: {"Inputs": half, "Outputs": half}}))
    assert doubts(layers, wanted) == (
        f"TensorRT shows no proof that these layers compute in the graph's precision: {name}.",
    )
    assert doubts(layers, {**wanted, "ode4/Cast_1": "HALF"}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"Layers": ["conv_1 + relu_1", "conv_2"]}',
        '{"Layers": [{"LayerType": "conv"}]}',
        '{"Layers": [{"Name": "conv", "LayerType": "conv", "Inputs": ["x"]}]}',
    ],
)
def test_what_no_known_inspector_writes_is_refused_as_no_proof(text: str) -> None:
    with pytest.raises(EngineError, match="nothing proves its precision"):
        read_layers(text)
