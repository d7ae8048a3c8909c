"""A whole graph under the bundle's contract: uint8 frames in, class ids and peaks out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from onnx import ModelProto, TensorProto, helper
from torch import nn

from hemonode.errors import ExportError
from hemonode.export.graph.builder import GraphBuilder, Value
from hemonode.export.graph.eight_bits import ConvRanges
from hemonode.export.graph.emission import Emission
from hemonode.export.graph.outputs import emit_block_errors, emit_class_ids, emit_peaks, emit_pixels
from hemonode.export.graph.quantised import QuantisedBuilder
from hemonode.export.graph.table import EMITTERS, NETWORKS
from hemonode.export.graph.weights import WeightFile
from hemonode.train.models.nodes_unet import HEAT_STRIDE
from hemonode.train.models.table import ode_blocks


@dataclass(frozen=True)
class Heads:
    """What the graph makes of a network's two outputs.

    Attributes:
        countable_ids: class id of each channel of the heat map.
        mask_scale: class ids come out at this multiple of the input's size.
        peaks: rows of the list of peaks, a constant at most 1024 for TensorRT's TopK.
        heat_stride: input pixels per pixel of the heat map.
    """

    countable_ids: tuple[int, ...]
    mask_scale: int = 2
    peaks: int = 1024
    heat_stride: int = HEAT_STRIDE


def write_graph(
    model: nn.Module,
    name: str,
    heads: Heads,
    weights: WeightFile,
    keep_fp32: Collection[str] = (),
    tolerance: float | None = None,
    ranges: Mapping[str, ConvRanges] = MappingProxyType({}),
) -> ModelProto:
    """The graph of a network whose ODE blocks hold unrolled solvers; its weights go into `weights`.

    Input `frames` uint8 [N, H, W, 3] BGR, preprocessed; outputs `class_ids` uint8 [N, H·m, W·m], `peaks`
    float32 [N, K, 4] and, where a solver estimates, `block_errors` float32 [N, blocks]: each block's local error, by
    rising position, 0 for a block whose solver does not estimate. N, H and W are symbolic.

    Args:
        model: the network.
        name: of the graph.
        heads: what the graph makes of the network's outputs.
        weights: the file that takes the weights, of the precision that the graph computes in.
        keep_fp32: paths of the modules that compute in FP32 whatever that precision is.
        tolerance: rtol and atol that the estimates are scaled by; None is each ODE block's own.
        ranges: of the convolutions that compute in 8 bits, by name.

    Raises:
        ExportError: a module has no emitter, an ODE block no unrolled solver, or a weight overflows the precision.
    """
    if type(model) not in NETWORKS:
        raise ExportError(f"{type(model).__name__} has no ONNX emitter: add one to hemonode.export.graph.table")
    graph = QuantisedBuilder(weights, ranges) if ranges else GraphBuilder(weights)
    with torch.no_grad():
        with graph.scope("before"):
            pixels = emit_pixels(graph, Value("frames", TensorProto.UINT8))
        emission = Emission(graph, model, EMITTERS, keep_fp32, tolerance)
        logits, heat_logits = NETWORKS[type(model)](emission, model, pixels)
    with graph.scope("after"):
        class_ids = emit_class_ids(graph, logits, heads.mask_scale)
        peaks = emit_peaks(graph, heat_logits, heads.countable_ids, heads.heat_stride, heads.peaks)
        scale = f"{heads.mask_scale}*" if heads.mask_scale > 1 else ""
        outputs: dict[Value, list[str | int]] = {
            class_ids: ["N", f"{scale}H", f"{scale}W"],
            peaks: ["N", heads.peaks, 4],
        }
        if emission.block_errors:
            positions = [block.position for block in ode_blocks(model)]
            outputs[emit_block_errors(graph, pixels, emission.block_errors, positions)] = ["N", len(positions)]
    return graph.model(
        name,
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", "H", "W", 3])],
        [helper.make_tensor_value_info(value.name, value.dtype, shape) for value, shape in outputs.items()],
    )
