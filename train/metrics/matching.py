"""Pairs predicted cells with true ones, one to one, so that as many pairs as possible come about."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemonode.train.data.sample import Box

NONE = -1


def near(centres: npt.NDArray[np.floating], boxes: list[Box]) -> npt.NDArray[np.bool_]:
    """Which predicted centre may be which true cell: within half the true cell's diameter, √(width·height) / 2.

    Args:
        centres: float [P, 2], (x, y) in the boxes' pixels.
        boxes: the T true cells.

    Returns:
        bool [P, T].
    """
    truth = np.array([(box.x, box.y, box.width * box.height) for box in boxes], np.float64).reshape(-1, 3)
    offsets = centres.reshape(-1, 1, 2) - truth[None, :, :2]
    return np.asarray((offsets**2).sum(axis=2) <= truth[None, :, 2] / 4, np.bool_)


def gained_matches(allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which prediction, added in this order, lets one more pair come about.

    The pairs are a maximum matching of the bipartite graph `allowed`, grown by augmenting paths (Kuhn 1955): a new
    prediction adds at most one pair, and does exactly when a path of exchanges frees a true cell for it. So the
    number of pairs among the first n predictions is `gained[:n].sum()`, exactly, for every n. Pairing the nearest
    first would take true cells away from predictions that have no other.

    Args:
        allowed: bool [P, T], which pairs are possible.

    Returns:
        bool [P]; its sum is the number of pairs.
    """
    candidates = [np.flatnonzero(row).tolist() for row in allowed]
    owner = [NONE] * allowed.shape[1]
    return np.array([_augment(index, candidates, owner) for index in range(len(candidates))], np.bool_)


def _augment(start: int, candidates: list[list[int]], owner: list[int]) -> bool:
    """Find a path of exchanges from one prediction to a free true cell, and carry it out."""
    reached_from: dict[int, int] = {}
    waiting = [start]
    while waiting:
        prediction = waiting.pop()
        for truth in candidates[prediction]:
            if truth in reached_from:
                continue
            reached_from[truth] = prediction
            if owner[truth] == NONE:
                _exchange(truth, start, reached_from, owner)
                return True
            waiting.append(owner[truth])
    return False


def _exchange(truth: int, start: int, reached_from: dict[int, int], owner: list[int]) -> None:
    held = {prediction: index for index, prediction in enumerate(owner) if prediction != NONE}
    while True:
        prediction = reached_from[truth]
        owner[truth] = prediction
        if prediction == start:
            return
        truth = held[prediction]
