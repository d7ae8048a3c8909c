"""An endless stained slide: drawn in square tiles as they are first looked at, and remembered."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hemonode.device.smear.chance import chance
from hemonode.device.smear.layout import Layout
from hemonode.device.smear.platelets import draw_platelet
from hemonode.device.smear.red_cells import draw_red_cell
from hemonode.device.smear.shapes import Sprite
from hemonode.device.smear.sites import PLATELET, RED, WHITE, Placed
from hemonode.device.smear.stains import Stain
from hemonode.device.smear.white_cells import draw_white_cell

TILE_PX = 160
OVERLAP_LOSS = np.float32(0.5)
"""Share of the thinner cell; overlaps in BCCD are about half a cell darker than one cell."""

# A later one covers an earlier one in the class ids.
PAINT_ORDER = (PLATELET, RED, WHITE)

Tile = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]


class Slide:
    """Light and class ids at any place. `remembered_tiles` bounds the memory: about 330 kB each."""

    def __init__(self, seed: int, stain: Stain, layout: Layout, um_per_px: float, *, remembered_tiles: int) -> None:
        self._seed = seed
        self._stain = stain
        self._layout = layout
        self._um_per_px = um_per_px
        self._tile = lru_cache(maxsize=remembered_tiles)(self._draw_tile)
        self._sprite = lru_cache(maxsize=remembered_tiles * 2)(self._draw)

    def light(self, left: int, top: int, width: int, height: int) -> Tile:
        """What lies in a rectangle, px of the slide.

        Returns:
            Transmitted light, float32 [height, width, 3] BGR, 1 where the glass is empty; and class ids, uint8.
        """
        light = np.empty((height, width, 3), np.float32)
        class_ids = np.empty((height, width), np.uint8)
        for row in range(top // TILE_PX, (top + height - 1) // TILE_PX + 1):
            for column in range(left // TILE_PX, (left + width - 1) // TILE_PX + 1):
                tile_light, tile_ids = self._tile(column, row)
                to, source = _shared(left, top, width, height, column * TILE_PX, row * TILE_PX, TILE_PX, TILE_PX)
                light[to], class_ids[to] = tile_light[source], tile_ids[source]
        return light, class_ids

    def cells(self, left: int, top: int, width: int, height: int) -> list[tuple[Placed, Sprite]]:
        """Every cell that may have a part in the rectangle, platelets first and white cells last."""
        scale = self._um_per_px
        near = self._layout.near(left * scale, top * scale, (left + width) * scale, (top + height) * scale)
        near.sort(key=lambda cell: (PAINT_ORDER.index(cell.class_id), cell.key))
        return [(cell, self._sprite(cell)) for cell in near]

    def _draw_tile(self, column: int, row: int) -> Tile:
        left, top = column * TILE_PX, row * TILE_PX
        density = np.zeros((TILE_PX, TILE_PX, 3), np.float32)
        class_ids = np.zeros((TILE_PX, TILE_PX), np.uint8)
        for cell, sprite in self.cells(left, top, TILE_PX, TILE_PX):
            height, width = sprite.body.shape
            to, source = _shared(left, top, TILE_PX, TILE_PX, sprite.left, sprite.top, width, height)
            density[to] += sprite.density[source] - _flattened(density[to], sprite.density[source])
            class_ids[to][sprite.body[source]] = cell.class_id
        return np.exp(-density), class_ids

    def _draw(self, cell: Placed) -> Sprite:
        rng = chance(self._seed, 1000, *cell.key)
        if cell.class_id == RED:
            return draw_red_cell(cell, self._stain, rng, self._um_per_px)
        if cell.class_id == PLATELET:
            return draw_platelet(cell, self._stain, rng, self._um_per_px)
        return draw_white_cell(cell, self._stain, rng, self._um_per_px)


def _flattened(under: npt.NDArray[np.float32], over: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What is lost where cells lie on each other: pressed together they hold less than both alone."""
    return np.asarray(OVERLAP_LOSS * np.maximum(np.minimum(under, over), 0), np.float32)


def _shared(
    left: int, top: int, width: int, height: int, left2: int, top2: int, width2: int, height2: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where two rectangles meet, as slices of the first and of the second; empty slices where they do not."""
    x0, x1 = max(left, left2), min(left + width, left2 + width2)
    y0, y1 = max(top, top2), min(top + height, top2 + height2)
    x1, y1 = max(x0, x1), max(y0, y1)
    return (
        (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)),
        (slice(y0 - top2, y1 - top2), slice(x0 - left2, x1 - left2)),
    )
