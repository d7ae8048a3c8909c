"""The parts of a network that may compute in 8 bits, with the convolutions and the work of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from onnx import ModelProto
from torch import nn

from hemonode.export.graph.emission import labels_of
from hemonode.export.half.parts import parts_of
from hemonode.export.work import multiply_adds_by_conv
from hemonode.train.models.nodes_unet import DoubleConv, Stage
from hemonode.train.models.ode_block import ODEBlock

QUANTISABLE = (Stage, DoubleConv, ODEBlock)
"""The heads stay in FP32: 2 % of the work, which decides every pixel and every count."""


class Part(NamedTuple):
    """A part: its path in the model, the names of its convolutions, and its share of the network's multiply-adds."""

    path: str
    convs: tuple[str, ...]
    share: float


def quantisable_parts(model: nn.Module, fp32_graph: ModelProto) -> tuple[Part, ...]:
    """The parts in the order of the network.

    The first convolution is in none of them: it is 0.4 % of the work, and 8 bits there changed more than twice as many
    mask pixels as in all ODE blocks together, which are half of it.
    """
    work = multiply_adds_by_conv(fp32_graph)
    _, *convs = work
    found = []
    for path in parts_of(model):
        if isinstance(model.get_submodule(path), QUANTISABLE):
            own = tuple(conv for conv in convs if conv.partition("/")[0] in _labels_under(model, path))
            if own:
                found.append(Part(path, own, sum(work[conv] for conv in own) / sum(work.values())))
    return tuple(found)


def paths_outside(model: nn.Module, chosen: Collection[str]) -> tuple[str, ...]:
    """Paths of the parts that stay in FP32, the heads among them."""
    return tuple(path for path in parts_of(model) if path not in chosen)


def share_of(parts: Sequence[Part]) -> float:
    """Their share of the network's multiply-adds."""
    return sum(part.share for part in parts)


def _labels_under(model: nn.Module, path: str) -> frozenset[str]:
    labels = labels_of(model)
    return frozenset(labels[module] for module in model.get_submodule(path).modules())
