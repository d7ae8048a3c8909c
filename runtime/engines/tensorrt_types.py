"""The types that a graph gives to its tensors, and how a weakly typed TensorRT is held to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorrt as trt

_FLOATS = frozenset({"FLOAT", "HALF", "BF16"})

# These say themselves what they give; any other layer gives the type of what it takes.
_TYPED_BY_ITSELF = frozenset({"CAST", "CONSTANT", "IDENTITY", "QUANTIZE", "SHAPE"})

# Their types are what they are for, or TensorRT's own affair.
_NEVER_CONSTRAINED = frozenset({"CAST", "CONSTANT", "DEQUANTIZE", "IDENTITY", "QUANTIZE", "SHAPE"})

# TensorRT's own sample sets no precision there: joining computes nothing.
_WITHOUT_PRECISION = frozenset({"CONCATENATION"})


def read_types(network: trt.INetworkDefinition) -> dict[str, str]:
    """The type of every tensor as the ONNX graph has it, by the tensor's name: names of DataType.

    Before a weakly typed network is built TensorRT need not tell the type of a tensor between two layers, so they are
    followed from the inputs, constants and casts, where it does.
    """
    types: dict[str, str] = {}
    for place in range(network.num_inputs):
        tensor = network.get_input(place)
        types[tensor.name] = tensor.dtype.name
    for layer in layers_of(network):
        for place in range(layer.num_outputs):
            tensor = layer.get_output(place)
            types[tensor.name] = _type_of(layer, tensor, types)
    return types


def computing_types(network: trt.INetworkDefinition, types: Mapping[str, str], kinds: frozenset[str]) -> dict[str, str]:
    """What layers of some kinds are to compute in, by their names; what is dequantised just before computes in INT8.

    Args:
        network: parsed.
        types: of its tensors.
        kinds: names of LayerType.
    """
    dequantised = {layer.get_output(0).name for layer in layers_of(network) if layer.type.name == "DEQUANTIZE"}
    found: dict[str, str] = {}
    for layer in layers_of(network):
        if layer.type.name in kinds:
            taken = _taken(layer)
            found[layer.name] = "INT8" if taken & dequantised else _first_float(layer, types)
    return {name: dtype for name, dtype in found.items() if dtype in _FLOATS | {"INT8"}}


def constrain_layers(network: trt.INetworkDefinition, types: Mapping[str, str], data_type: type[trt.DataType]) -> int:
    """Tell every layer that computes in floating point what the graph computes there in.

    Layers fed by a dequantise node are left alone: TensorRT computes them in INT8.

    Args:
        network: parsed, weakly typed.
        types: of its tensors.
        data_type: TensorRT's DataType.

    Returns:
        How many layers were told.
    """
    members = {"FLOAT": data_type.FLOAT, "HALF": data_type.HALF}
    dequantised = {layer.get_output(0).name for layer in layers_of(network) if layer.type.name == "DEQUANTIZE"}
    told = 0
    for layer in layers_of(network):
        kind = layer.type.name
        precision = members.get(_first_float(layer, types))
        if kind in _NEVER_CONSTRAINED or precision is None or _taken(layer) & dequantised:
            continue
        told += 1
        if kind not in _WITHOUT_PRECISION:
            layer.precision = precision
        for place in range(layer.num_outputs):
            wanted = members.get(types[layer.get_output(place).name])
            if wanted is not None:
                layer.set_output_type(place, wanted)
    return told


def layers_of(network: trt.INetworkDefinition) -> Iterator[trt.ILayer]:
    """The layers, each after those it takes from."""
    return (network.get_layer(place) for place in range(network.num_layers))


def _type_of(layer: trt.ILayer, output: trt.ITensor, types: Mapping[str, str]) -> str:
    told = output.dtype.name
    if told not in _FLOATS or layer.type.name in _TYPED_BY_ITSELF:
        return told
    return _first_float(layer, types) or told


def _first_float(layer: trt.ILayer, types: Mapping[str, str]) -> str:
    """The floating-point type that a layer takes; empty where it takes none. Dequantising takes it from its scale."""
    for name in _names_taken(layer):
        if types.get(name) in _FLOATS:
            return types[name]
    return ""


def _taken(layer: trt.ILayer) -> set[str]:
    return set(_names_taken(layer))


def _names_taken(layer: trt.ILayer) -> Iterator[str]:
    for place in range(layer.num_inputs):
        tensor = layer.get_input(place)
        if tensor is not None:
            yield tensor.name
