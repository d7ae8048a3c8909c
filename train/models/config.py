"""Model configuration: what a recipe may choose about a network, checked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Activation = Literal["relu", "silu", "softplus", "tanh"]


class OdeBlockConfig(BaseModel):
    """One ODE block.

    `position` is 1 to 9 as in Li et al. 2021: 1 to 4 down the encoder, 5 at the bottom, 6 to 9 up the decoder.
    `tolerance` is both rtol and atol of the adaptive solver.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    position: int = Field(ge=1, le=9)
    tolerance: float = Field(gt=0, le=0.1)


class ModelConfig(BaseModel):
    """A network, complete enough to build it again from a checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str = "nodes-unet"
    width: int = Field(default=32, ge=4, le=256)
    """Channels of the first stage; each stage down doubles them. 32 is the paper's half-width U-Net."""
    ode_blocks: tuple[OdeBlockConfig, ...] = (
        OdeBlockConfig(position=4, tolerance=1e-4),
        OdeBlockConfig(position=5, tolerance=1e-6),
        OdeBlockConfig(position=6, tolerance=1e-4),
    )
    """Empty for a plain U-Net. The default is the paper's NODEs-UNet."""
    ode_convs: int = Field(default=2, ge=1, le=4)
    """Convolutions inside f."""
    ode_activation: Activation = "silu"
    """Smooth by default: with ReLU every solver falls to order 2."""
    classes: int = Field(default=4, ge=2, le=255)
    """Mask classes, background included."""
    countable: int = Field(default=3, ge=1)
    """Channels of the centre heat map: one for each class whose cells are counted."""

    @model_validator(mode="after")
    def _positions_are_unique(self) -> ModelConfig:
        positions = [block.position for block in self.ode_blocks]
        if len(set(positions)) != len(positions):
            raise ValueError("each position may hold one ODE block")
        return self
