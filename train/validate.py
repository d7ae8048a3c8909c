"""The validation score that chooses the checkpoint: masks and centres of pictures that training never sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from hemonode.runtime.preprocess import equalise, pad, padded_side
from hemonode.train.augment import WorkingSample
from hemonode.train.metrics.matching import gained_matches, near
from hemonode.train.metrics.segmentation import confusion_matrix
from hemonode.train.models.nodes_unet import HEAT_STRIDE, STRIDE
from hemonode.train.recipe import Recipe
from hemonode.train.solvers import evaluations, use_solver

PROVISIONAL_THRESHOLD = 0.3
"""Heat-map score of a cell while training runs; the final thresholds are chosen at its end."""


@dataclass(frozen=True)
class Validation:
    """What one epoch's weights reach. `score` is the mean of MIoU and of the classes' F1, each 0 to 1."""

    miou: float
    f1: dict[int, float]

    @property
    def score(self) -> float:
        """One number to choose a checkpoint by."""
        return float(np.mean([self.miou, *self.f1.values()]))


def pick_peaks(heat: torch.Tensor, class_ids: tuple[int, ...], count: int = 1024) -> npt.NDArray[np.float32]:
    """Local maxima of heat maps [K, h, w], as the exported graph picks them.

    Returns:
        float32 [≤ count, 4]: class id, x, y, score, by falling score.
    """
    largest = torch.nn.functional.max_pool2d(heat[None], 3, stride=1, padding=1)[0]
    scores = torch.where(heat >= largest - 1e-3, heat, torch.zeros_like(heat)).flatten()
    best, places = scores.topk(min(count, scores.numel()))
    height, width = heat.shape[-2:]
    plane, place = places // (height * width), places % (height * width)
    ids = torch.tensor(class_ids)[plane]
    columns = [ids, (place % width + 0.5) * HEAT_STRIDE, (place // width + 0.5) * HEAT_STRIDE, best]
    return np.stack([column.numpy().astype(np.float32) for column in columns], axis=1)


@torch.no_grad()
def predict(
    model: nn.Module, sample: WorkingSample, recipe: Recipe, countable_ids: tuple[int, ...]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Class ids uint8 [H, W] and peaks (see `pick_peaks`) of a sample that is at the working scale."""
    pixels = equalise(sample.pixels, recipe.preprocessing)
    height, width = pixels.shape[:2]
    padded = pad(pixels, padded_side(height, STRIDE, STRIDE), padded_side(width, STRIDE, STRIDE))
    device = next(model.parameters()).device
    frame = torch.from_numpy(padded).to(device).permute(2, 0, 1)[None].float()
    outputs = model(frame)
    class_ids = outputs.logits.float().argmax(1)[0, :height, :width].to(torch.uint8).cpu().numpy()
    peaks = pick_peaks(outputs.heat_logits.float().sigmoid()[0].cpu(), countable_ids)
    return class_ids, peaks[(peaks[:, 1] < width) & (peaks[:, 2] < height)]


def validate(
    model: nn.Module, samples: list[WorkingSample], recipe: Recipe, countable_ids: tuple[int, ...]
) -> Validation:
    """Score a network on whole pictures; it keeps its own solver and precision."""
    counts = np.zeros((recipe.model.classes,) * 2, np.int64)
    matched, predicted, true = (dict.fromkeys(countable_ids, 0) for _ in range(3))
    for sample in samples:
        class_ids, peaks = predict(model, sample, recipe, countable_ids)
        if sample.hand_mask:
            counts += confusion_matrix(sample.mask, class_ids, recipe.model.classes)
        for class_id in sample.complete_ids:
            boxes = [box for box in sample.boxes or () if box.class_id == class_id]
            found = peaks[(peaks[:, 0] == class_id) & (peaks[:, 3] >= PROVISIONAL_THRESHOLD)]
            matched[class_id] += int(gained_matches(near(found[:, 1:3].astype(np.float64), boxes)).sum())
            predicted[class_id] += len(found)
            true[class_id] += len(boxes)
    f1 = {key: 2 * matched[key] / max(predicted[key] + true[key], 1) for key in countable_ids if true[key]}
    return Validation(_mean_iou(counts), f1)


def _mean_iou(counts: npt.NDArray[np.int64]) -> float:
    hits, union = np.diag(counts), counts.sum(0) + counts.sum(1) - np.diag(counts)
    occurs = counts.sum(1) > 0
    return float((hits[occurs] / union[occurs]).mean()) if occurs.any() else 0.0


def adaptive_evaluations(
    model: nn.Module, samples: list[WorkingSample], recipe: Recipe, countable_ids: tuple[int, ...]
) -> dict[int, float]:
    """Mean function evaluations per ODE block, by position, of the adaptive solver at batch 1."""
    use_solver(model, "dopri5")
    evaluations(model)
    for sample in samples:
        predict(model, sample, recipe, countable_ids)
    return {position: count / max(len(samples), 1) for position, count in evaluations(model).items()}
