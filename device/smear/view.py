"""What the simulated microscope shows at one place: the picture, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class SmearCell:
    """One cell of which at least one pixel lies in the view.

    Attributes:
        key: the cell's name on its smear; the same cell has the same key in every view.
        class_id: 1 white cell, 2 red cell, 3 platelet.
        kind: "neutrophil", "discocyte", …
        x, y: middle of the box, px of the view.
        box: (left, top, width, height) of the part inside the view, px.
        complete: whether the whole cell lies inside the view.
    """

    key: tuple[int, int, int, int]
    class_id: int
    kind: str
    x: float
    y: float
    box: tuple[int, int, int, int]
    complete: bool


@dataclass(frozen=True)
class View:
    """One field of view.

    Attributes:
        pixels: uint8 [H, W, 3], BGR.
        class_ids: uint8 [H, W]; 0 background, 1 white cell, 2 red cell, 3 platelet. Where cells overlap, white
            goes over red and red over platelet.
        cells: all cells in the view.
        um_per_px: micrometres per pixel.
    """

    pixels: npt.NDArray[np.uint8]
    class_ids: npt.NDArray[np.uint8]
    cells: tuple[SmearCell, ...]
    um_per_px: float
