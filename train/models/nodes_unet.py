"""NODEs-UNet: a U-Net whose nine stages may each be followed by an ODE block (Li et al. 2021, section 3)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hemonode.train.models.config import ModelConfig
from hemonode.train.models.ode_block import ODEBlock

STRIDE = 16
"""Four poolings: heights and widths must be multiples of it."""

HEAT_STRIDE = 4
"""The heat map leaves the decoder at a quarter of the input's resolution (position 7)."""


class Outputs(NamedTuple):
    """What a network returns for pixels [N, 3, H, W].

    `logits` [N, classes, H, W] before softmax; `heat_logits` [N, countable, H/4, W/4] before the sigmoid.
    """

    logits: Tensor
    heat_logits: Tensor


class Normalise(nn.Module):
    """Pixels 0 to 255 to about −2 to 2: a smear's background is bright, its cells lie around the middle."""

    MEAN = 127.5
    SCALE = 64.0

    def forward(self, pixels: Tensor) -> Tensor:
        """Float [N, 3, H, W], 0 to 255, to the same shape."""
        return (pixels - self.MEAN) / self.SCALE


class DoubleConv(nn.Sequential):
    """Two 3×3 convolutions, each with batch normalisation (folded at export) and ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        layers: list[nn.Module] = []
        for source in (channels_in, channels_out):
            layers += [
                nn.Conv2d(source, channels_out, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels_out),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)


class Stage(nn.Sequential):
    """Two convolutions and, where the configuration asks for one, the ODE block behind them."""

    def __init__(self, position: int, channels_in: int, channels_out: int, config: ModelConfig) -> None:
        layers: list[nn.Module] = [DoubleConv(channels_in, channels_out)]
        layers.extend(
            ODEBlock(channels_out, position, block.tolerance, config.ode_convs, config.ode_activation)
            for block in config.ode_blocks
            if block.position == position
        )
        super().__init__(*layers)


class HeatHead(nn.Sequential):
    """Centre heat map of the countable classes from the quarter-resolution stage of the decoder."""

    # Rare positives: start from a probability of 0.01, as Lin et al. 2017 (focal loss) do, or the first steps diverge.
    PRIOR_LOGIT = -4.6

    def __init__(self, channels: int, countable: int) -> None:
        last = nn.Conv2d(channels, countable, 1)
        assert last.bias is not None
        nn.init.constant_(last.bias, self.PRIOR_LOGIT)
        super().__init__(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True), last)


class NodesUNet(nn.Module):
    """U-Net with skip concatenation, bilinear upsampling and ODE blocks at the configured positions.

    Without ODE blocks it is the plain half-width U-Net that the paper compares against.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(5)]
        self.normalise = Normalise()
        self.pool = nn.MaxPool2d(2)
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        sources = [3, *widths[:4]]
        self.encoder = nn.ModuleList(
            Stage(position + 1, sources[position], widths[position], config) for position in range(4)
        )
        self.bottom = Stage(5, sources[4], widths[4], config)
        self.decoder = nn.ModuleList(
            Stage(6 + index, widths[level] + widths[level + 1], widths[level], config)
            for index, level in enumerate((3, 2, 1, 0))
        )
        self.heat_head = HeatHead(widths[2], config.countable)
        self.mask_head = nn.Conv2d(widths[0], config.classes, 1)

    def forward(self, pixels: Tensor) -> Outputs:
        """Class logits and heat logits of float pixels [N, 3, H, W], BGR, 0 to 255.

        Raises:
            ValueError: H or W is not a multiple of 16.
        """
        height, width = pixels.shape[-2:]
        if height % STRIDE or width % STRIDE:
            raise ValueError(f"pictures of {width}×{height} px do not fit: pad both sides to multiples of {STRIDE}")
        h = self.normalise(pixels)
        skips = []
        for stage in self.encoder:
            h = stage(h)  # [N, width·2^level, H/2^level, W/2^level]
            skips.append(h)
            h = self.pool(h)
        h = self.bottom(h)
        quarter = h
        for index, stage in enumerate(self.decoder):
            h = stage(torch.cat([skips.pop(), self.upsample(h)], dim=1))
            if index == 1:
                quarter = h
        return Outputs(self.mask_head(h), self.heat_head(quarter))
