"""Emitters of plain layers: convolution with folded batch normalisation, activations, pooling, upsampling."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from torch import nn

from hemonode.errors import ExportError
from hemonode.export.graph.builder import GraphBuilder, Named, Value
from hemonode.export.graph.emission import Emission
from hemonode.export.graph.weights import Array, array_of


def emit_sequential(emission: Emission, module: nn.Sequential, x: Value) -> Value:
    """Children in order; batch normalisation behind a convolution is folded into it."""
    children = list(module)
    folded = {
        norm for conv, norm in pairwise(children) if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    }
    for child, following in zip(children, [*children[1:], None], strict=True):
        if child in folded:
            continue
        if isinstance(child, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
            with emission.graph.scope(emission.name(child)):
                x = emit_conv(emission, child, x, following)
        else:
            x = emission.emit(child, x)
    return x


def emit_conv(emission: Emission, conv: nn.Conv2d, x: Value, norm: nn.BatchNorm2d | None = None) -> Value:
    """A zero-padded convolution, its batch normalisation folded in."""
    weight, bias = array_of(conv.weight), np.zeros(conv.out_channels) if conv.bias is None else array_of(conv.bias)
    if norm is not None:
        weight, bias = _fold(weight, bias, norm)
    name = emission.name(conv)
    return convolve(emission.graph, conv, x, (f"{name}.weight", weight), (f"{name}.bias", bias))


def convolve(graph: GraphBuilder, conv: nn.Conv2d, x: Value, weight: Named, bias: Named) -> Value:
    """A Conv node with `conv`'s geometry and the given named weights, in the graph's compute type.

    Raises:
        ExportError: padding other than a number of zeros.
    """
    if conv.padding_mode != "zeros" or isinstance(conv.padding, str):
        raise ExportError(f"'{weight[0]}': only zero padding by a number of pixels can be written")
    return graph.conv(x, weight, bias, _geometry(conv))


def _geometry(conv: nn.Conv2d) -> dict[str, Any]:
    """What differs from ONNX's defaults."""
    geometry: dict[str, Any] = {"kernel_shape": conv.kernel_size}
    if any(conv.padding):
        geometry["pads"] = conv.padding * 2
    if conv.stride != (1, 1):
        geometry["strides"] = conv.stride
    if conv.dilation != (1, 1):
        geometry["dilations"] = conv.dilation
    if conv.groups != 1:
        geometry["group"] = conv.groups
    return geometry


def _fold(weight: Array, bias: Array, norm: nn.BatchNorm2d) -> tuple[Array, Array]:
    if norm.running_mean is None or norm.running_var is None:
        raise ExportError("batch normalisation without running statistics cannot be folded; train with them")
    scale = 1 / np.sqrt(array_of(norm.running_var) + norm.eps)
    shift = np.zeros_like(bias)
    if norm.affine:
        scale, shift = scale * array_of(norm.weight), array_of(norm.bias)
    return weight * scale[:, None, None, None], (bias - array_of(norm.running_mean)) * scale + shift


def emit_relu(emission: Emission, _: nn.ReLU, x: Value) -> Value:
    """max(x, 0)."""
    return emission.graph.op("Relu", [x])


def emit_silu(emission: Emission, _: nn.SiLU, x: Value) -> Value:
    """The product x · sigmoid(x): opset 17 has no operator of its own for it, and engines fuse the two."""
    return emission.graph.op("Mul", [x, emission.graph.op("Sigmoid", [x])])


def emit_softplus(emission: Emission, _: nn.Softplus, x: Value) -> Value:
    """log(1 + exp(x)); torch's straight line beyond 20 equals it to rounding."""
    return emission.graph.op("Softplus", [x])


def emit_tanh(emission: Emission, _: nn.Tanh, x: Value) -> Value:
    """Hyperbolic tangent."""
    return emission.graph.op("Tanh", [x])


def emit_max_pool(emission: Emission, pool: nn.MaxPool2d, x: Value) -> Value:
    """Square max pooling without padding."""
    if pool.padding or pool.dilation != 1 or pool.ceil_mode or pool.stride != pool.kernel_size:
        raise ExportError(f"'{emission.name(pool)}': only pooling without padding, gaps or overlap can be written")
    size = pool.kernel_size if isinstance(pool.kernel_size, tuple) else (pool.kernel_size, pool.kernel_size)
    return emission.graph.op("MaxPool", [x], kernel_shape=size, strides=size)


def emit_upsample(emission: Emission, upsample: nn.Upsample, x: Value) -> Value:
    """Bilinear upsampling by a whole factor, pixel centres at half-integers."""
    factor = upsample.scale_factor
    if upsample.mode != "bilinear" or upsample.align_corners or factor is None or isinstance(factor, tuple):
        raise ExportError(f"'{emission.name(upsample)}': only bilinear upsampling by one factor can be written")
    return enlarge(emission.graph, x, factor)


def enlarge(graph: GraphBuilder, x: Value, factor: float) -> Value:
    """Bilinear enlargement of [N, C, H, W], as torch's `interpolate(align_corners=False)`."""
    scales = graph.constant([1, 1, factor, factor], np.float32)
    return graph.op("Resize", [x, None, scales], mode="linear", coordinate_transformation_mode="half_pixel")
