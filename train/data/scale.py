"""Measures the red-cell diameter of a picture on its boxes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median

from hemonode.train.data.sample import Box

FEWEST_BOXES = 4


def measured_red_cell_px(boxes: Iterable[Box], red_id: int, height: int, width: int) -> float | None:
    """Median of √(width·height) over the red cells that do not touch the border; None from fewer than four."""
    sizes = [
        math.sqrt(box.width * box.height) for box in boxes if box.class_id == red_id and not box.touches(height, width)
    ]
    return median(sizes) if len(sizes) >= FEWEST_BOXES else None
