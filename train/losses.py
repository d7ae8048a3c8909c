"""What training minimises: cross entropy and soft Dice on the mask, a focal loss on the centre heat map."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from hemonode.runtime.classes import IGNORE_ID


def mask_loss(logits: Tensor, mask: Tensor, class_weights: Tensor) -> Tensor:
    """Weighted cross entropy plus one minus the mean soft Dice of the classes that occur.

    Args:
        logits: float [N, C, H, W].
        mask: int64 [N, H, W], 255 where unknown; a batch without any known pixel costs nothing.
        class_weights: float [C].
    """
    known = mask != IGNORE_ID
    if not known.any():
        return logits.sum() * 0
    entropy = functional.cross_entropy(logits, mask, weight=class_weights, ignore_index=IGNORE_ID)
    probabilities = logits.softmax(1) * known[:, None]
    truth = functional.one_hot(mask.where(known, 0), logits.shape[1]).movedim(-1, 1) * known[:, None]
    overlap = (probabilities * truth).sum((0, 2, 3))
    total = (probabilities + truth).sum((0, 2, 3))
    occurs = truth.sum((0, 2, 3)) > 0
    dice = (2 * overlap / total.clamp_min(1e-6))[occurs].mean()
    return entropy + 1 - dice


def heat_loss(logits: Tensor, heat: Tensor, weight: Tensor) -> Tensor:
    """Penalty-reduced focal loss (Law and Deng 2018, equation 1; α = 2, β = 4), per cell.

    Args:
        logits: float [N, K, h, w] before the sigmoid.
        heat: float [N, K, h, w], 1 at a cell's centre.
        weight: float [N, K, h, w], 0 where nothing is known.
    """
    probability = logits.sigmoid()
    positive = (heat >= 1).to(logits.dtype)
    at_centres = functional.logsigmoid(logits) * (1 - probability) ** 2 * positive
    elsewhere = functional.logsigmoid(-logits) * probability**2 * (1 - heat) ** 4 * (1 - positive)
    cells = (positive * weight).sum().clamp_min(1)
    return -((at_centres + elsewhere) * weight).sum() / cells


def total_loss(
    logits: Tensor, heat_logits: Tensor, batch: dict[str, Tensor], class_weights: Tensor, heat_share: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum that is minimised and, detached, its parts by name."""
    mask_part = mask_loss(logits.float(), batch["mask"], class_weights)
    heat_part = heat_loss(heat_logits.float(), batch["heat"], batch["heat_weight"])
    total: Tensor = mask_part + heat_share * heat_part
    parts = {"loss": total.detach(), "mask_loss": mask_part.detach(), "heat_loss": heat_part.detach()}
    return total, parts


def as_class_weights(weights: tuple[float, ...], device: torch.device) -> Tensor:
    """A recipe's class weights as float32 [C] where the model is."""
    return torch.tensor(weights, dtype=torch.float32, device=device)
