"""Masks and cells drawn over the picture: tinted classes, thin outlines, a mark per counted cell."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.classes import BACKGROUND_ID
from hemonode.runtime.counting.cells import Cell, Tally

Pixels = npt.NDArray[np.uint8]

TINT = 0.28
"""Share of the class colour in a tinted pixel: enough to tell classes apart, little enough to see the cell."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(pixels: Pixels, class_ids: Pixels, cells: Sequence[Cell], classes: Sequence[ClassRecord]) -> Pixels:
    """A copy of the picture with its mask tinted and outlined, and a mark on each counted cell.

    Cells outside of the counting frame get a hollow mark.

    Args:
        pixels: uint8 [H, W, 3] BGR.
        class_ids: uint8 [H, W].
        cells: in pixels of the picture.
        classes: ids and colours.

    Returns:
        uint8 [H, W, 3] BGR.
    """
    colours = _colour_table(classes)
    painted = cv2.LUT(cv2.merge([class_ids] * 3), colours)
    blended = cv2.addWeighted(pixels, 1 - TINT, painted, TINT, 0)
    cv2.copyTo(pixels, (class_ids == BACKGROUND_ID).astype(np.uint8), blended)
    cv2.copyTo(painted, _outlines(class_ids), blended)
    by_id = {entry.id: entry.colour_bgr for entry in classes}
    radius = max(round(min(pixels.shape[:2]) / 160), 2)
    for cell in cells:
        centre = (round(cell.x), round(cell.y))
        cv2.circle(blended, centre, radius + 1, (255, 255, 255), -1 if cell.in_frame else 2, cv2.LINE_AA)
        cv2.circle(blended, centre, radius, by_id[cell.class_id], -1 if cell.in_frame else 1, cv2.LINE_AA)
    return np.asarray(blended, np.uint8)


def add_legend(overlay: Pixels, tally: Tally, classes: Sequence[ClassRecord]) -> Pixels:
    """The overlay with a strip below it: each countable class in its colour, with its count."""
    scale = max(min(overlay.shape[1] / 640, 3.0), 0.5)
    strip = np.full((round(30 * scale), overlay.shape[1], 3), 250, np.uint8)
    base, x = round(20 * scale), round(10 * scale)
    for entry in classes:
        if not entry.countable:
            continue
        text = f"{entry.name.replace('_', ' ')} {tally.visible[entry.id]} ({tally.in_frame[entry.id]} in frame)"
        cv2.circle(
            strip, (x + round(5 * scale), base - round(5 * scale)), round(5 * scale), entry.colour_bgr, -1, cv2.LINE_AA
        )
        x += round(16 * scale)
        thickness = max(round(scale), 1)
        cv2.putText(strip, text, (x, base), _FONT, 0.42 * scale, (30, 30, 30), thickness, cv2.LINE_AA)
        x += cv2.getTextSize(text, _FONT, 0.42 * scale, thickness)[0][0] + round(18 * scale)
    return np.concatenate([overlay, strip])


def _colour_table(classes: Sequence[ClassRecord]) -> Pixels:
    table = np.zeros((1, 256, 3), np.uint8)
    for entry in classes:
        table[0, entry.id] = entry.colour_bgr
    return table


def _outlines(class_ids: Pixels) -> Pixels:
    """uint8 [H, W], 1 on pixels of a cell class beside another class."""
    edges = np.zeros(class_ids.shape, np.uint8)
    sideways = (class_ids[:, 1:] != class_ids[:, :-1]).astype(np.uint8)
    downwards = (class_ids[1:] != class_ids[:-1]).astype(np.uint8)
    edges[:, 1:] |= sideways
    edges[:, :-1] |= sideways
    edges[1:] |= downwards
    edges[:-1] |= downwards
    edges[class_ids == BACKGROUND_ID] = 0
    return edges
