"""The cell classes of a model: id, name, colour, and whether its cells are counted."""

from __future__ import annotations

from dataclasses import dataclass

IGNORE_ID = 255
"""Mask value of pixels that no label speaks about."""

BACKGROUND_ID = 0


@dataclass(frozen=True)
class CellClass:
    """One class of a mask. `colour_bgr` is what overlays paint, 0 to 255 per channel."""

    id: int
    name: str
    colour_bgr: tuple[int, int, int]
    countable: bool


# Ids as in Li et al. 2021, platelets added. Colours from Okabe and Ito (2008), which colour-blind readers tell apart.
BLOOD_CLASSES = (
    CellClass(0, "background", (0, 0, 0), countable=False),
    CellClass(1, "white_cell", (178, 114, 0), countable=True),
    CellClass(2, "red_cell", (0, 94, 213), countable=True),
    CellClass(3, "platelet", (115, 158, 0), countable=True),
)
