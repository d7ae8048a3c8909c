"""The stream of training patches: the same for the same seed, epoch and place, however often training was resumed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from hemonode.runtime.preprocess import resample
from hemonode.train.augment import Augmentation, WorkingSample
from hemonode.train.data.sample import Box, Sample
from hemonode.train.targets import ignored_everywhere
from hemonode.train.weak_masks import complete_mask, mask_from_boxes

# Kept a little finer than the working scale, so that enlarging augmentation has something to show.
KEPT_OVER_WORKING = 1.25


def _best_mask(
    sample: Sample, countable_ids: tuple[int, ...], foreground_id: int | None
) -> npt.NDArray[np.uint8] | None:
    if sample.mask is not None and foreground_id is not None:
        return complete_mask(sample.pixels, sample.mask, sample.red_cell_px, foreground_id)
    if sample.mask is None and sample.boxes is not None:
        known = set(countable_ids) <= set(sample.complete_ids)
        return mask_from_boxes(sample.pixels, sample.boxes, sample.red_cell_px, background_known=known)
    return sample.mask


def to_working_sample(
    sample: Sample, red_cell_px: float, countable_ids: tuple[int, ...], foreground_id: int | None = None
) -> WorkingSample:
    """A sample near the working scale, with a partial mask from boxes and colour where its own is not complete."""
    factor = min(red_cell_px * KEPT_OVER_WORKING / sample.red_cell_px, 1.0)
    mask = _best_mask(sample, countable_ids, foreground_id)
    return _rescale(
        WorkingSample(
            pixels=sample.pixels,
            mask=ignored_everywhere(sample.pixels.shape[:2]) if mask is None else mask,
            boxes=sample.boxes,
            complete_ids=sample.complete_ids,
            red_cell_px=sample.red_cell_px,
            hand_mask=sample.mask is not None and foreground_id is None,
        ),
        factor,
    )


def at_working_scale(sample: WorkingSample, red_cell_px: float) -> WorkingSample:
    """The same sample at exactly the working scale, as the network sees it at inference."""
    return _rescale(sample, red_cell_px / sample.red_cell_px)


def _rescale(sample: WorkingSample, factor: float) -> WorkingSample:
    pixels = resample(sample.pixels, factor)
    height, width = pixels.shape[:2]
    mask = cv2.resize(sample.mask, (width, height), interpolation=cv2.INTER_NEAREST)
    boxes = None
    if sample.boxes is not None:
        boxes = tuple(
            Box(box.class_id, box.x * factor, box.y * factor, box.width * factor, box.height * factor)
            for box in sample.boxes
        )
    return WorkingSample(
        pixels, np.asarray(mask, np.uint8), boxes, sample.complete_ids, sample.red_cell_px * factor, sample.hand_mask
    )


@dataclass(frozen=True)
class Source:
    """The training pictures of one data set, and how often each is drawn relative to the others'."""

    samples: tuple[WorkingSample, ...]
    repeat: float


class Patches(Dataset[dict[str, Tensor]]):
    """The patches of one epoch; `index` runs over steps × batch size."""

    def __init__(
        self, sources: tuple[Source, ...], augmentation: Augmentation, *, seed: int, epoch: int, count: int
    ) -> None:
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = epoch
        self.samples = [sample for source in sources for sample in source.samples]
        weights = np.concatenate([np.full(len(source.samples), source.repeat) for source in sources])
        rng = np.random.default_rng((seed, epoch, 0))
        self.order = rng.choice(len(self.samples), size=count, p=weights / weights.sum())

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, self.epoch, 2, index))
        crop = self.augmentation(self.samples[self.order[index]], rng)
        return {
            "pixels": torch.from_numpy(crop.pixels).permute(2, 0, 1),
            "mask": torch.from_numpy(crop.mask),
            "heat": torch.from_numpy(crop.heat),
            "heat_weight": torch.from_numpy(crop.heat_weight),
        }
