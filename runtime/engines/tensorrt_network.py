"""From an ONNX file to TensorRT's network, and what the network is to compute in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import tensorrt as trt

from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt_features import Features, Typing, network_flags
from hemonode.runtime.engines.tensorrt_log import Log
from hemonode.runtime.engines.tensorrt_types import computing_types, read_types
from hemonode.runtime.plans.request import BuildRequest

_COLOURS = 3
_CONVOLUTIONS = frozenset({"CONVOLUTION", "DECONVOLUTION"})
# A cast counts with the type that it takes: fused, it may be all of fp16 that a layer shows.
_AROUND_CONVOLUTIONS = frozenset({"ELEMENTWISE", "ACTIVATION", "CAST"})
_MOST_ERRORS = 3


@dataclass(frozen=True)
class Expected:
    """What the graph computes in, names of DataType by the layer's name."""

    convolutions: dict[str, str]
    others: dict[str, str]
    """Element by element; empty where TensorRT is strongly typed, which leaves it no choice there."""


def parse_network(builder: trt.Builder, request: BuildRequest, features: Features, log: Log) -> trt.INetworkDefinition:
    """The graph with its external weights, which lie beside it, and its input's shape where there is only one.

    Raises:
        EngineError: the file cannot be read or parsed, or is not one of hemonode's graphs.
    """
    flags = 0
    for name in network_flags(features):
        # By name: their numbers differ between versions.
        flags |= 1 << int(trt.NetworkDefinitionCreationFlag.__members__[name])
    log.forget()
    network = builder.create_network(flags)
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(str(request.graph)):
        told = "; ".join(_errors(parser, features))
        failed = f"TensorRT {features.version} cannot read {request.graph}"
        if told:
            raise EngineError(f"{failed}: {told}; export the bundle again, or install another TensorRT.")
        raise log.explain(failed, "check that the file and the weights beside it are there and whole")
    if request.is_static:
        frames_of(network, request).shape = (*request.shape_opt, _COLOURS)
    return network


def add_profile(
    builder: trt.Builder, network: trt.INetworkDefinition, config: trt.IBuilderConfig, request: BuildRequest
) -> None:
    """Tell the builder which shapes will come, where there is more than one.

    Raises:
        EngineError: TensorRT refuses the shapes.
    """
    if request.is_static:
        return
    profile = builder.create_optimization_profile()
    least, best, most = ((*shape, _COLOURS) for shape in (request.shape_min, request.shape_opt, request.shape_max))
    profile.set_shape(frames_of(network, request).name, least, best, most)
    if config.add_optimization_profile(profile) < 0:
        raise EngineError(f"TensorRT refuses frames from {least} to {most}; build for one size.")


def frames_of(network: trt.INetworkDefinition, request: BuildRequest) -> trt.ITensor:
    """The network's one input.

    Raises:
        EngineError: it has others.
    """
    if network.num_inputs != 1:
        raise EngineError(
            f"{request.graph} takes {network.num_inputs} inputs, not frames alone; give a graph of a bundle."
        )
    return network.get_input(0)


def expectations(network: trt.INetworkDefinition, typing: Typing) -> Expected:
    """What the layers are to compute in, taken before the network is built and gone."""
    types = read_types(network)
    others = computing_types(network, types, _AROUND_CONVOLUTIONS) if typing == "weak" else {}
    return Expected(computing_types(network, types, _CONVOLUTIONS), others)


def _errors(parser: trt.OnnxParser, features: Features) -> Iterator[str]:
    """The parser's first errors, with the nodes they are about. Version 8.6 tells only the node's number."""
    for place in range(min(parser.num_errors, _MOST_ERRORS)):
        error = parser.get_error(place)
        about = ""
        if error.node() >= 0:
            name = error.node_name() if features.parser_names_nodes else ""
            about = f" (node {name or error.node()})"
        yield f"{' '.join(error.desc().split())}{about}"
