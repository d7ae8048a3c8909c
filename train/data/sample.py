"""One labelled picture, whatever format its labels came in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Box:
    """A cell's bounding box in pixels of the picture; (x, y) is its centre. Class ids as in `runtime.classes`."""

    class_id: int
    x: float
    y: float
    width: float
    height: float

    def touches(self, picture_height: int, picture_width: int, margin_px: float = 1.0) -> bool:
        """Whether the box reaches the border of its picture, so that its size says nothing of the cell's."""
        return (
            self.x - self.width / 2 <= margin_px
            or self.y - self.height / 2 <= margin_px
            or self.x + self.width / 2 >= picture_width - margin_px
            or self.y + self.height / 2 >= picture_height - margin_px
        )


@dataclass(frozen=True)
class Sample:
    """One picture with what is known about it.

    Attributes:
        name: unique in its data set, the picture's stem.
        pixels: uint8 [H, W, 3] BGR.
        mask: uint8 [H, W] class ids with 255 where no label speaks, or None for a picture without a mask.
        boxes: every cell of `complete_ids`, or None where the picture has no boxes at all.
        complete_ids: classes whose boxes are complete; only these give counts and heat maps.
        red_cell_px: typical red-cell diameter in pixels of this picture.
        group: pictures of one group (one slide, near-duplicates) never part between splits.
    """

    name: str
    path: Path
    pixels: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8] | None
    boxes: tuple[Box, ...] | None
    complete_ids: tuple[int, ...]
    red_cell_px: float
    group: str
