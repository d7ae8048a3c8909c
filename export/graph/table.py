"""Which emitter writes which type of module. A new layer, block or network is one file and one line here."""

from __future__ import annotations

from torch import nn

from hemonode.export.graph import layers, nodes_unet, ode
from hemonode.export.graph.emission import Emitter, NetworkEmitter
from hemonode.train.models.nodes_unet import NodesUNet, Normalise
from hemonode.train.models.ode_block import Dynamics, ODEBlock

EMITTERS: dict[type[nn.Module], Emitter] = {
    nn.Sequential: layers.emit_sequential,
    nn.Conv2d: layers.emit_conv,
    nn.ReLU: layers.emit_relu,
    nn.SiLU: layers.emit_silu,
    nn.Softplus: layers.emit_softplus,
    nn.Tanh: layers.emit_tanh,
    nn.MaxPool2d: layers.emit_max_pool,
    nn.Upsample: layers.emit_upsample,
    Dynamics: ode.emit_dynamics,
    ODEBlock: ode.emit_ode_block,
    Normalise: nodes_unet.emit_normalise,
}

NETWORKS: dict[type[nn.Module], NetworkEmitter] = {
    NodesUNet: nodes_unet.emit_nodes_unet,
}
