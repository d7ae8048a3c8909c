"""How far a change in the picture is felt in the answer: measured, since the theoretical field is far too wide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hemonode.errors import ExportError
from hemonode.export.frames import PreparedFrame, same_size
from hemonode.export.session import GraphSession

Mask = npt.NDArray[np.uint8]

CHANGED_SHARE = 1e-4
"""Beyond the reach, at most this share of mask pixels changes class."""


def measure_reach(session: GraphSession, frames: Sequence[PreparedFrame], stride: int) -> int:
    """The distance in input pixels, a multiple of the stride, beyond which the mask does not feel what is there.

    A band along each of the four sides of a picture, a quarter of it, is replaced by another picture: the strongest
    change that a tile's border can make. The reach is the least distance from the band beyond which, over all
    pictures and sides, at most `CHANGED_SHARE` of the mask's pixels differ.

    Raises:
        ExportError: fewer than two pictures, or the change is felt to the far side of them.
    """
    if len(frames) < 2:
        raise ExportError("measuring the network's reach takes two pictures at least: ask for more with --images")
    frames = same_size(frames, stride)
    changed, total = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for frame, donor in zip(frames, [*frames[1:], frames[0]], strict=True):
        mask = session.predict(frame).class_ids[0]
        for turns in range(4):
            by_distance, across = _changed_by_distance(session, frame, donor, mask, stride, turns)
            changed, total = _add(changed, by_distance), _add(total, np.full(len(by_distance), across))
    beyond = np.append(np.cumsum(changed[::-1])[::-1] / np.cumsum(total[::-1])[::-1], 0.0)
    reach = int(np.argmax(beyond <= CHANGED_SHARE))
    if reach >= len(changed):
        raise ExportError(
            f"the network reaches further than the {len(changed)} px that the verification pictures leave; "
            "verify on larger pictures"
        )
    return -(-reach // stride) * stride


def _changed_by_distance(
    session: GraphSession, frame: PreparedFrame, donor: PreparedFrame, mask: Mask, stride: int, turns: int
) -> tuple[npt.NDArray[np.int64], int]:
    """Changed mask pixels by distance from a replaced band at one of the sides, and mask pixels per distance."""
    altered = np.rot90(frame.pixels, turns).copy()
    band = altered.shape[1] // 4 // stride * stride
    altered[:, :band] = np.rot90(donor.pixels, turns)[:, :band]
    upright = PreparedFrame(frame.name, np.ascontiguousarray(np.rot90(altered, -turns)))
    differs = np.rot90(session.predict(upright).class_ids[0] != mask, turns)
    scale = differs.shape[1] // altered.shape[1]
    columns = differs[:, band * scale :].sum(axis=0)
    return columns.reshape(-1, scale).sum(axis=1), differs.shape[0] * scale


def _add(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    total = np.zeros(max(len(first), len(second)), np.int64)
    total[: len(first)] += first
    total[: len(second)] += second
    return total
