"""Emitters of NODEs-UNet."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from hemonode.export.graph.builder import Value
from hemonode.export.graph.emission import Emission
from hemonode.train.models.nodes_unet import NodesUNet, Normalise


def emit_normalise(emission: Emission, module: Normalise, pixels: Value) -> Value:
    """(pixels − mean) / scale in FP32, before the values enter the compute type."""
    graph = emission.graph
    centred = graph.op("Sub", [pixels, graph.constant(module.MEAN, np.float32)])
    return graph.compute(graph.op("Mul", [centred, graph.constant(1 / module.SCALE, np.float32)]))


def emit_nodes_unet(emission: Emission, model: NodesUNet, pixels: Value) -> tuple[Value, Value]:
    """Class logits and heat logits of float pixels [N, 3, H, W], both FP32, as `NodesUNet.forward` gives them."""
    h = emission.emit(model.normalise, pixels)
    skips = []
    for stage in model.encoder:
        h = emission.emit(stage, h)
        skips.append(h)
        h = emission.emit(model.pool, h)
    h = emission.emit(model.bottom, h)
    quarter = h
    for index, stage in enumerate(model.decoder):
        dtype = emission.entry_dtype(stage)
        halves = [emission.graph.cast(half, dtype) for half in (skips.pop(), emission.emit(model.upsample, h))]
        h = emission.emit(stage, emission.graph.op("Concat", halves, axis=1))
        if index == 1:
            quarter = h
    logits, heat = emission.emit(model.mask_head, h), emission.emit(model.heat_head, quarter)
    return emission.graph.cast(logits, TensorProto.FLOAT), emission.graph.cast(heat, TensorProto.FLOAT)
