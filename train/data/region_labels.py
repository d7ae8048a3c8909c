"""What readers of drawn cells share: class names, the order of overlaps, and what lies outside every cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from hemonode.runtime.classes import IGNORE_ID
from hemonode.train.data.labels import LabelReader
from hemonode.train.data.regions import PAINT_ORDER, Region, paint, region_box
from hemonode.train.data.sample import Box


class RegionLabels(LabelReader):
    """Settings of a reader of drawn cells.

    Attributes:
        classes: the names in the files to class ids; 255 for areas that are drawn but tell nothing.
        paint: class ids in the order they are drawn where cells overlap; a later one covers an earlier one.
        outside: what pixels in no cell are: 0, background, where every cell is drawn, or 255, unknown.
    """

    classes: dict[str, int]
    paint: tuple[int, ...] = PAINT_ORDER
    outside: Literal[0, 255] = 0

    @model_validator(mode="after")
    def _every_class_painted(self) -> RegionLabels:
        left_out = sorted(self.class_ids() - set(self.paint) - {IGNORE_ID})
        if left_out:
            raise ValueError(f"class id {left_out[0]} is not in `paint`, the order of overlaps")
        return self

    def class_ids(self) -> set[int]:
        """The class ids that names are mapped to."""
        return set(self.classes.values())

    def mask_of(self, regions: Iterable[Region], height: int, width: int) -> npt.NDArray[np.uint8]:
        """One mask of all regions, overlaps as `paint` says."""
        return paint(regions, self.paint, self.outside, height, width)


def boxes_of(regions: Iterable[tuple[str, Region]]) -> tuple[list[Box], list[str]]:
    """The boxes of regions, each given with a text that says where it was drawn, and a problem for each empty one."""
    boxes: list[Box] = []
    problems: list[str] = []
    for place, region in regions:
        box = region_box(region)
        if box is None:
            problems.append(f"{place}: covers no pixel of the picture, dropped.")
        elif region.class_id != IGNORE_ID:
            boxes.append(box)
    return boxes, problems
