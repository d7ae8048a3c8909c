"""The architectures a recipe can name, and how to build one from its configuration."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from hemonode.errors import RecipeError
from hemonode.train.models.config import ModelConfig
from hemonode.train.models.nodes_unet import NodesUNet
from hemonode.train.models.ode_block import ODEBlock

MODELS: dict[str, Callable[[ModelConfig], nn.Module]] = {
    "nodes-unet": NodesUNet,
}


def build_model(config: ModelConfig) -> nn.Module:
    """The network that a configuration describes, with fresh weights.

    Raises:
        RecipeError: no architecture has that name.
    """
    if config.architecture not in MODELS:
        known = ", ".join(sorted(MODELS))
        raise RecipeError(f"no architecture is called '{config.architecture}'; choose one of: {known}")
    return MODELS[config.architecture](config)


def ode_blocks(model: nn.Module) -> list[ODEBlock]:
    """The ODE blocks of a network, by rising position."""
    return sorted((m for m in model.modules() if isinstance(m, ODEBlock)), key=lambda block: block.position)
