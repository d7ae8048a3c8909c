"""The counting frame: of the cells cut by the picture's border, half are in, so that fields add up without bias."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def in_counting_frame(
    boxes: npt.NDArray[np.float64], height: int, width: int, margin_px: float = 1.0
) -> npt.NDArray[np.bool_]:
    """Which cells the counting frame takes in (Gundersen 1977): left and top edges count in, right and bottom out.

    Args:
        boxes: float [n, 4], columns x0, y0, x1, y1, pixels of the picture.
        height: of the picture, pixels.
        width: of the picture, pixels.
        margin_px: a box this near to an edge touches it.

    Returns:
        bool [n]; a cell that touches both a counting and a forbidden edge is out.
    """
    touches_right = boxes[:, 2] >= width - margin_px
    touches_bottom = boxes[:, 3] >= height - margin_px
    return np.asarray(~(touches_right | touches_bottom), np.bool_)
