"""How sharp a picture is, whatever lies in it: how steep its edges are for their height."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

_BLOCK_PX = 16
# A block counts as an edge when its contrast is this share of the picture's: glass and noise have none.
_EDGE_SHARE = 0.5
# Of the blocks that show an edge, those that cross it in one direction: the upper quarter for each direction.
_CROSSING = 75.0


def edge_steepness(luma: npt.NDArray[np.uint8]) -> float:
    """Steepness of edges, per px: the largest slope of a block of 16 px over its contrast.

    A perfect edge that was blurred by a Gaussian of σ px has 0.4/σ, whatever its height, the lamp or the stain. It is
    taken across, down and along both diagonals, and the least of the four is what counts, so that a picture that moved
    while the shutter was open, which is sharp along its way, is not called sharp.

    Args:
        luma: uint8 [h, w], at the working scale, so that it means the same at every magnification.

    Returns:
        0 where there are no edges.
    """
    smooth = np.asarray(cv2.GaussianBlur(luma.astype(np.float32), (3, 3), 0.7), np.float32)
    contrast = _highest(smooth) + _highest(-smooth)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    edges = contrast >= max(_EDGE_SHARE * float(np.percentile(contrast, 90)), 1.0)
    if not edges.any():
        return 0.0
    slopes = (across, down, (across + down) / np.sqrt(2), (across - down) / np.sqrt(2))
    steepest = (_highest(np.asarray(np.abs(slope), np.float32)) for slope in slopes)
    return float(min(np.percentile(steep[edges] / contrast[edges], _CROSSING) for steep in steepest))


def _highest(plane: Plane) -> Plane:
    """The highest value of each whole block."""
    rows, columns = plane.shape[0] // _BLOCK_PX, plane.shape[1] // _BLOCK_PX
    whole = plane[: rows * _BLOCK_PX, : columns * _BLOCK_PX]
    # Down first, along whole rows of memory: three times as fast as both at once.
    down = whole.reshape(rows, _BLOCK_PX, -1).max(axis=1)
    return np.asarray(down.reshape(rows, columns, _BLOCK_PX).max(axis=2), np.float32)
