"""Random variations of a labelled picture: what another slide, stain, lamp, focus or camera would have shown.

Order matters: colour and blur come before the contrast equalisation, as they do at the microscope, and the crop
comes after it, because at inference it sees the whole field.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.classes import IGNORE_ID
from hemonode.runtime.preprocess import PADDING_GREY, equalise
from hemonode.train.data.sample import Box
from hemonode.train.targets import Crop, heat_map

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class WorkingSample:
    """A sample brought near the working scale, kept in memory for the whole training.

    `pixels` uint8 [H, W, 3] BGR before equalisation; `mask` uint8 [H, W]; `boxes` in its pixels; `red_cell_px` the
    red-cell diameter in its pixels; `hand_mask` whether the mask is a label of its own, not made from boxes or colour.
    """

    pixels: Picture
    mask: Picture
    boxes: tuple[Box, ...] | None
    complete_ids: tuple[int, ...]
    red_cell_px: float
    hand_mask: bool


def jitter_stain(pixels: Picture, rng: np.random.Generator, strength: float) -> Picture:
    """Mix and scale optical densities per channel (Beer-Lambert), and tint the background.

    Args:
        pixels: uint8 [H, W, 3] BGR.
        rng: where chance comes from.
        strength: 0 leaves the picture alone; 1 covers the stains of the usual laboratories.
    """
    levels = np.maximum(np.arange(256, dtype=np.float32), 1) / 255
    density = cv2.LUT(pixels, -np.log(levels))
    gain = np.exp(rng.normal(0, 0.25 * strength)) * np.exp(rng.normal(0, 0.15 * strength, 3))
    mixing = np.eye(3) + rng.normal(0, 0.12 * strength, (3, 3)) * (1 - np.eye(3))
    tint = rng.uniform(-0.12, 0.35, 3) * strength * rng.random()
    mixed = cv2.transform(density, np.column_stack([mixing * gain[:, None], tint]))
    return np.clip(255 * cv2.exp(-mixed), 0, 255).astype(np.uint8)


def jitter_tone(pixels: Picture, rng: np.random.Generator, strength: float) -> Picture:
    """Gamma, brightness, contrast, and half the time a turn of hue and saturation."""
    gamma = np.exp(rng.normal(0, 0.2 * strength))
    contrast, brightness = 1 + rng.normal(0, 0.12 * strength), rng.normal(0, 14 * strength)
    levels = 255 * (np.arange(256) / 255) ** gamma
    table = np.clip((levels - 128) * contrast + 128 + brightness, 0, 255).astype(np.uint8)
    toned = cv2.LUT(pixels, table)
    if rng.random() < 0.5:
        hsv = cv2.cvtColor(toned, cv2.COLOR_BGR2HSV).astype(np.int16)
        hsv[..., 0] = (hsv[..., 0] + int(rng.normal(0, 8 * strength))) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * np.exp(rng.normal(0, 0.3 * strength)), 0, 255)
        toned = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR)
    return np.asarray(toned, np.uint8)


def uneven_light(pixels: Picture, rng: np.random.Generator) -> Picture:
    """A lamp off the axis: brightness falls off across the picture by up to a third."""
    height, width = pixels.shape[:2]
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.33)
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    slope = (np.cos(angle) * x[None, :] + np.sin(angle) * y[:, None]) / 2
    gain = (1 - depth / 2 + depth * slope).astype(np.float32)
    lit: Picture = np.clip(pixels * gain[..., None], 0, 255).astype(np.uint8)
    return lit


def degrade(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Defocus or sharpening, sensor noise, JPEG: each some of the time."""
    out = pixels
    if rng.random() < 0.35:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.6)), np.uint8)
    elif rng.random() < 0.2:
        soft = cv2.GaussianBlur(out, (0, 0), 1.0)
        out = np.asarray(cv2.addWeighted(out, 1.6, soft, -0.6, 0), np.uint8)
    if rng.random() < 0.35:
        noise = rng.normal(0, rng.uniform(1, 8), (*out.shape[:2], 3 if rng.random() < 0.7 else 1))
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return out


def _vary_equalisation(record: PreprocessingRecord, rng: np.random.Generator) -> PreprocessingRecord:
    # A large field's CLAHE tiles hold many cells, a small picture's hold one: the grid varies, the clip limit a little.
    if rng.random() < 0.5:
        return record
    tiles = int(rng.integers(2, 11))
    return record.model_copy(
        update={"clahe_tiles": (tiles, tiles), "clahe_clip_limit": record.clahe_clip_limit * rng.uniform(0.7, 1.4)}
    )


def _placement(height: int, width: int, crop_px: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """2×3 affine matrix from the picture to the crop: a turn, a flip, and a place mostly inside the picture."""
    angle = rng.choice([0.0, 90.0, 180.0, 270.0]) if rng.random() < 0.5 else rng.uniform(0, 360)
    flip = rng.choice([-1.0, 1.0])
    spare = np.maximum(np.array([width, height]) - crop_px * 0.8, crop_px * 0.2) / 2
    shift = rng.uniform(-spare, spare)
    radians = np.deg2rad(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]]) @ np.diag([flip, 1.0])
    offset = crop_px / 2 + shift - turn @ np.array([width / 2, height / 2])
    return np.column_stack([turn, offset])


def _move_boxes(boxes: tuple[Box, ...] | None, matrix: npt.NDArray[np.float64]) -> tuple[Box, ...] | None:
    if boxes is None:
        return None
    moved = []
    for box in boxes:
        x, y = matrix @ np.array([box.x, box.y, 1.0])
        # A turned cell's upright box: cells are round enough for the ellipse inside the box.
        width = float(np.hypot(matrix[0, 0] * box.width, matrix[0, 1] * box.height))
        height = float(np.hypot(matrix[1, 0] * box.width, matrix[1, 1] * box.height))
        moved.append(Box(box.class_id, float(x), float(y), width, height))
    return tuple(moved)


@dataclass(frozen=True)
class Augmentation:
    """How a working sample becomes a crop.

    `scale` is the largest deviation of the red-cell diameter from the working scale (0.25 is ±25 %); `colour` the
    strength of stain and tone jitter, 0 to 1 and beyond.
    """

    crop_px: int
    red_cell_px: float
    preprocessing: PreprocessingRecord
    countable_ids: tuple[int, ...]
    scale: float
    colour: float

    def __call__(self, sample: WorkingSample, rng: np.random.Generator) -> Crop:
        """One random crop."""
        pixels = sample.pixels
        if rng.random() < 0.9:
            pixels = jitter_stain(pixels, rng, self.colour)
        if rng.random() < 0.7:
            pixels = jitter_tone(pixels, rng, self.colour)
        if rng.random() < 0.3:
            pixels = uneven_light(pixels, rng)
        limit = np.log1p(self.scale)
        scale = float(np.exp(rng.uniform(-limit, limit))) * self.red_cell_px / sample.red_cell_px
        size = (max(round(pixels.shape[1] * scale), 8), max(round(pixels.shape[0] * scale), 8))
        resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        pixels = degrade(np.asarray(resized, np.uint8), rng)
        pixels = equalise(pixels, _vary_equalisation(self.preprocessing, rng))
        return self._crop(sample, pixels, scale, rng)

    def _crop(self, sample: WorkingSample, pixels: Picture, scale: float, rng: np.random.Generator) -> Crop:
        crop = (self.crop_px, self.crop_px)
        matrix = _placement(pixels.shape[0], pixels.shape[1], self.crop_px, rng)
        from_sample = matrix @ np.diag([scale, scale, 1.0])
        grey = (PADDING_GREY,) * 3
        patch = cv2.warpAffine(pixels, matrix, crop, flags=cv2.INTER_LINEAR, borderValue=grey)
        mask = cv2.warpAffine(sample.mask, from_sample, crop, flags=cv2.INTER_NEAREST, borderValue=(IGNORE_ID,))
        inside = np.ones(sample.mask.shape, np.uint8)
        valid = cv2.warpAffine(inside, from_sample, crop, flags=cv2.INTER_NEAREST, borderValue=(0,)) > 0
        boxes = _move_boxes(sample.boxes, from_sample)
        heat, weight = heat_map(boxes, sample.complete_ids, self.countable_ids, valid)
        return Crop(np.asarray(patch, np.uint8), np.asarray(mask, np.uint8), heat, weight)
