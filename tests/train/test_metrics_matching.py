from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from hemonode.train.data.sample import Box
from hemonode.train.metrics.matching import gained_matches, near


def most_pairs(allowed):
    if allowed.shape[0] > allowed.shape[1]:
        allowed = allowed.T
    rows, columns = allowed.shape
    return max(
        sum(allowed[row, column] for row, column in enumerate(order)) for order in permutations(range(columns), rows)
    )


def pairs_of_nearest_first(distances, allowed):
    taken_rows, taken_columns = set(), set()
    for row, column in sorted(zip(*np.nonzero(allowed), strict=True), key=lambda pair: distances[pair]):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
    return len(taken_rows)


@pytest.mark.parametrize("seed", range(60))
def test_as_many_pairs_as_trying_every_assignment_for_every_number_of_predictions(seed):
    random = np.random.default_rng(seed)
    allowed = random.random((random.integers(1, 7), random.integers(1, 7))) < random.uniform(0.1, 0.7)
    gained = gained_matches(allowed)
    assert [gained[: count + 1].sum() for count in range(len(allowed))] == [
        most_pairs(allowed[: count + 1]) for count in range(len(allowed))
    ]


def test_pairing_the_nearest_first_would_lose_a_cell_that_the_best_pairing_finds():
    # Two touching cells; the left prediction can only be the left cell, the right one lies nearer to it.
    boxes = [Box(2, 10, 10, 20, 20), Box(2, 25, 10, 20, 20)]
    centres = np.array([(4.0, 10.0), (15.5, 10.0)])
    allowed = near(centres, boxes)
    distances = np.abs(centres[:, :1] - np.array([[10.0, 25.0]]))
    assert allowed.tolist() == [[True, False], [True, True]]
    assert pairs_of_nearest_first(distances, allowed) == 1
    assert gained_matches(allowed).sum() == 2
    assert gained_matches(allowed[::-1]).sum() == 2


def test_two_predictions_on_one_cell_are_one_pair():
    allowed = near(np.array([(10.0, 10.0), (11.0, 10.0)]), [Box(2, 10, 10, 20, 20)])
    assert gained_matches(allowed).tolist() == [True, False]


def test_a_centre_matches_up_to_half_the_true_cells_diameter():
    # √(40·10) / 2 = 10 px in every direction, however long the box.
    box = [Box(2, 50, 50, 40, 10)]
    assert near(np.array([(60.0, 50.0), (60.01, 50.0), (50.0, 60.0)]), box).ravel().tolist() == [True, False, True]


def test_no_predictions_or_no_cells_are_no_pairs():
    assert gained_matches(near(np.empty((0, 2)), [Box(2, 1, 1, 2, 2)])).sum() == 0
    assert gained_matches(near(np.array([(1.0, 1.0)]), [])).sum() == 0
