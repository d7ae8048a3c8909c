"""The contestants that no other beats in both latency and accuracy."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(costs: Sequence[float], merits: Sequence[float]) -> list[int]:
    """Indices of the points that no other has at most the cost and at least the merit of, by rising cost.

    Of equal points the first stays.
    """
    order = sorted(range(len(costs)), key=lambda index: (costs[index], -merits[index], index))
    front: list[int] = []
    for index in order:
        if not front or merits[index] > merits[front[-1]]:
            front.append(index)
    return front
