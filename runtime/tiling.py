"""Pictures larger than an engine's frame, in overlapping tiles of which only the inner part is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import InputRecord
from hemonode.runtime.preprocess import padded_side

TILE_PX = 512
"""Largest side of an engine's frame, at the working scale; bounds the engine's memory."""

# The reach is measured on the pictures of the export; with this margin tiled and untiled class ids of large fields of
# another stain were equal on 99.999 % of pixels (99.98 % without it).
_REACH_MARGIN = 1.4


@dataclass(frozen=True)
class Tile:
    """One frame of a picture, in pixels at the working scale.

    `top`, `left` is where the frame starts; the core from `core_top`, `core_left` up to (not including) `core_bottom`,
    `core_right` is what it answers for, in the picture's coordinates. The cores of all tiles cover the picture once.
    """

    top: int
    left: int
    core_top: int
    core_left: int
    core_bottom: int
    core_right: int


@dataclass(frozen=True)
class Plan:
    """The frame size for a picture, and its tiles, row by row."""

    frame_height: int
    frame_width: int
    tiles: tuple[Tile, ...]


def plan_tiles(height: int, width: int, record: InputRecord, tile_px: int) -> Plan:
    """Cover a picture of `height`×`width` px with frames of at most about `tile_px` px.

    Tiles overlap by twice the network's reach, so that each core sees all that can alter it.
    """
    frame_height, rows = _spans(height, record, tile_px)
    frame_width, columns = _spans(width, record, tile_px)
    tiles = tuple(
        Tile(top, left, core_top, core_left, core_bottom, core_right)
        for top, core_top, core_bottom in rows
        for left, core_left, core_right in columns
    )
    return Plan(frame_height, frame_width, tiles)


def _spans(side: int, record: InputRecord, tile_px: int) -> tuple[int, list[tuple[int, int, int]]]:
    """Frame side, and (start, core start, core end) of each tile along one side."""
    whole = padded_side(side, record.stride, record.minimum)
    # Below three reaches a tile would be all overlap.
    reach = round(_REACH_MARGIN * record.reach_px)
    frame = padded_side(max(tile_px, 3 * reach), record.stride, record.minimum)
    if whole <= frame:
        return whole, [(0, 0, side)]
    step = (frame - 2 * reach) // record.stride * record.stride
    spans = []
    start = core_start = 0
    while start + frame < side:
        core_end = start + reach + step
        spans.append((start, core_start, core_end))
        core_start = core_end
        # Starts are multiples of the stride, so that pooling falls on the same pixels as in an untiled run.
        start += step
    # The last tile ends where the padded picture would: more padding beyond the border would be seen, too.
    spans.append((whole - frame, core_start, side))
    return frame, spans


def paste_core(whole: npt.NDArray[np.uint8], frame: npt.NDArray[np.uint8], tile: Tile, scale: int) -> None:
    """Copy the class ids that a tile answers for from its frame into the whole picture's, both at `scale` times."""
    own = frame[
        (tile.core_top - tile.top) * scale : (tile.core_bottom - tile.top) * scale,
        (tile.core_left - tile.left) * scale : (tile.core_right - tile.left) * scale,
    ]
    whole[tile.core_top * scale : tile.core_bottom * scale, tile.core_left * scale : tile.core_right * scale] = own


def core_peaks(peaks: npt.NDArray[np.float32], tile: Tile) -> npt.NDArray[np.float32]:
    """The peaks [K, 4] of a frame that its tile answers for, moved to the whole picture's pixels."""
    moved = peaks + np.array([0, tile.left, tile.top, 0], np.float32)
    inside = (moved[:, 1] >= tile.core_left) & (moved[:, 1] < tile.core_right)
    inside &= (moved[:, 2] >= tile.core_top) & (moved[:, 2] < tile.core_bottom)
    return np.asarray(moved[inside], np.float32)
