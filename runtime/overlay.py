"""Masks and cells drawn over the picture: tinted classes, thin outlines, a mark per counted cell."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.classes import BACKGROUND_ID
from hemonode.runtime.counting.cells import Cell, Tally
from hemonode.runtime.counting.instances import label_instances

Pixels = npt.NDArray[np.uint8]

TINT = 0.28
"""Share of the class colour in a tinted pixel: enough to tell classes apart, little enough to see the cell."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(
    pixels: Pixels,
    class_ids: Pixels,
    cells: Sequence[Cell],
    classes: Sequence[ClassRecord],
    *,
    part_touching: bool = False,
) -> Pixels:
    """A copy of the picture with its mask tinted and outlined, and a mark on each counted cell.

    Cells outside of the counting frame get a hollow mark.

    Args:
        pixels: uint8 [H, W, 3] BGR.
        class_ids: uint8 [H, W].
        cells: in pixels of the picture.
        classes: ids and colours.
        part_touching: whether lines part the cells that touch; several times slower.

    Returns:
        uint8 [H, W, 3] BGR.
    """
    colours = _colour_table(classes)
    painted = cv2.LUT(cv2.merge([class_ids] * 3), colours)
    blended = cv2.addWeighted(pixels, 1 - TINT, painted, TINT, 0)
    cv2.copyTo(pixels, (class_ids == BACKGROUND_ID).astype(np.uint8), blended)
    cv2.copyTo(painted, _outlines(class_ids), blended)
    if part_touching:
        cv2.copyTo(painted, _outlines(_instances(class_ids, cells)), blended)
    by_id = {entry.id: entry.colour_bgr for entry in classes}
    radius = max(round(min(pixels.shape[:2]) / 160), 2)
    for cell in cells:
        centre = (round(cell.x), round(cell.y))
        cv2.circle(blended, centre, radius + 1, (255, 255, 255), -1 if cell.in_frame else 2, cv2.LINE_AA)
        cv2.circle(blended, centre, radius, by_id[cell.class_id], -1 if cell.in_frame else 1, cv2.LINE_AA)
    return np.asarray(blended, np.uint8)


def add_legend(overlay: Pixels, tally: Tally, classes: Sequence[ClassRecord]) -> Pixels:
    """The overlay with a strip below it: each countable class in its colour, with its count."""
    scale = min(max(overlay.shape[1] / 640, 1.0), 3.0)
    thickness, line, gap = max(round(scale), 1), round(22 * scale), round(18 * scale)
    entries = [entry for entry in classes if entry.countable]
    texts = [f"{e.name.replace('_', ' ')} {tally.visible[e.id]} ({tally.in_frame[e.id]} in frame)" for e in entries]
    widths = [cv2.getTextSize(text, _FONT, 0.42 * scale, thickness)[0][0] + gap for text in texts]
    rows, places = _flow(widths, gap, overlay.shape[1])
    strip = np.full((rows * line + round(8 * scale), overlay.shape[1], 3), 250, np.uint8)
    for entry, text, (row, x) in zip(entries, texts, places, strict=True):
        base = row * line + round(20 * scale)
        centre = (x - round(10 * scale), base - round(5 * scale))
        cv2.circle(strip, centre, round(5 * scale), entry.colour_bgr, -1, cv2.LINE_AA)
        cv2.putText(strip, text, (x, base), _FONT, 0.42 * scale, (30, 30, 30), thickness, cv2.LINE_AA)
    return np.concatenate([overlay, strip])


def _flow(widths: Sequence[int], gap: int, available: int) -> tuple[int, list[tuple[int, int]]]:
    """How many rows texts take that are set one after another, and each one's (row, x)."""
    row, x = 0, gap
    places = []
    for width in widths:
        if x > gap and x + width > available:
            row, x = row + 1, gap
        places.append((row, x))
        x += width + gap
    return row + 1, places


def _instances(class_ids: Pixels, cells: Sequence[Cell]) -> npt.NDArray[np.int32]:
    """int32 [H, W], which cell each pixel belongs to; 0 where none does."""
    peaks = np.array([(cell.class_id, cell.x, cell.y, cell.score) for cell in cells], np.float32).reshape(-1, 4)
    diameters = np.array([(cell.width + cell.height) / 2 for cell in cells], np.float64)
    return label_instances(class_ids, peaks, diameters)


def _colour_table(classes: Sequence[ClassRecord]) -> Pixels:
    table = np.zeros((1, 256, 3), np.uint8)
    for entry in classes:
        table[0, entry.id] = entry.colour_bgr
    return table


def _outlines(regions: npt.NDArray[np.uint8] | npt.NDArray[np.int32]) -> Pixels:
    """uint8 [H, W], 1 on pixels of a region (a class, a cell) beside another; 0 is no region."""
    edges = np.zeros(regions.shape, np.uint8)
    sideways = (regions[:, 1:] != regions[:, :-1]).astype(np.uint8)
    downwards = (regions[1:] != regions[:-1]).astype(np.uint8)
    edges[:, 1:] |= sideways
    edges[:, :-1] |= sideways
    edges[1:] |= downwards
    edges[:-1] |= downwards
    edges[regions == BACKGROUND_ID] = 0
    return edges
