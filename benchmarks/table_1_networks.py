"""The ten networks of the paper's Table 1: fresh, or from checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from hemonode.benchmarks.paper_table_1 import PAPER, POSITIONS, TOLERANCE
from hemonode.errors import CheckpointError
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.models.config import Activation, ModelConfig, OdeBlockConfig
from hemonode.train.models.table import build_model, ode_blocks


def fresh_network(name: str, width: int, activation: Activation) -> nn.Module:
    """A row's network with random weights, ready to evaluate; the same ones at every call."""
    torch.manual_seed(0)
    blocks = (OdeBlockConfig(position=POSITIONS[name], tolerance=TOLERANCE),) if name in POSITIONS else ()
    model = build_model(ModelConfig(width=width, ode_blocks=blocks, ode_activation=activation)).eval()
    for block in ode_blocks(model):
        last = block.dynamics.convs[-1]
        assert isinstance(last, nn.Conv2d)
        # A fresh block is the identity, which no solver would spend a step on.
        last.reset_parameters()
    return model


def checkpoints_by_row(paths: Sequence[Path]) -> dict[str, Path]:
    """Which row each checkpoint belongs to.

    Raises:
        CheckpointError: it cannot be read, is none of the table's networks, or two are the same one.
    """
    rows: dict[str, Path] = {}
    for path in paths:
        name = _row_of(path)
        if name in rows:
            raise CheckpointError(f"{path} and {rows[name]} are both {name}; give one of them")
        rows[name] = path
    return rows


def _row_of(path: Path) -> str:
    blocks = load_checkpoint(path).config.ode_blocks
    if not blocks:
        return "U-Net"
    names = [name for name in PAPER if (POSITIONS.get(name), TOLERANCE) == (blocks[0].position, blocks[0].tolerance)]
    if len(blocks) > 1 or not names:
        solved = ", ".join(f"{block.position} at {block.tolerance:g}" for block in blocks)
        raise CheckpointError(
            f"{path} has ODE blocks at {solved}; Table 1 has none, or one at a tolerance of {TOLERANCE:g}: train that"
        )
    return names[0]
