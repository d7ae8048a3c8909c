"""Boxes from the edges that label files give: clipped to the picture, or found to have no area."""

from __future__ import annotations

import math

from hemonode.train.data.sample import Box


def box_from_edges(class_id: int, edges: tuple[float, float, float, float], height: int, width: int) -> Box | None:
    """A box from its left, top, right and bottom edge in pixels (pixel n reaches from n to n + 1).

    Returns:
        The part of the box inside a picture of `height`×`width` pixels; None where less than one pixel
        remains in either direction, or an edge is not a number.
    """
    if not all(math.isfinite(edge) for edge in edges):
        return None
    left, right = max(edges[0], 0.0), min(edges[2], float(width))
    top, bottom = max(edges[1], 0.0), min(edges[3], float(height))
    if right - left < 1 or bottom - top < 1:
        return None
    return Box(class_id, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
