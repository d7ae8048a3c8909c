"""The order of every solver is proved by the rooted-tree conditions (Butcher 1963; Hairer et al., section II.2)."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import prod

import pytest

from hemonode.errors import ExportError
from hemonode.export.tableau import TABLEAUS, Tableau

Tree = tuple  # a rooted tree is the sorted tuple of the trees that hang from its root


def _size(tree: Tree) -> int:
    return 1 + sum(_size(child) for child in tree)


def _density(tree: Tree) -> int:
    return _size(tree) * prod(_density(child) for child in tree)


def _forests(size: int, largest: int) -> list[Tree]:
    """Every multiset of trees with `size` nodes together, none larger than `largest`."""
    if size == 0:
        return [()]
    found = []
    for first in range(min(size, largest), 0, -1):
        for count in range(1, size // first + 1):
            for same in combinations_with_replacement(_trees(first), count):
                found += [same + rest for rest in _forests(size - first * count, first - 1)]
    return found


def _trees(size: int) -> list[Tree]:
    return _forests(size - 1, size - 1)


def _stage_weights(tableau: Tableau, tree: Tree) -> list[float]:
    columns = [_stage_weights(tableau, child) for child in tree]
    inner = [[sum(a * phi for a, phi in zip(row, column, strict=False)) for column in columns] for row in tableau.a]
    return [prod(values) for values in inner]


def _defect(tableau: Tableau, tree: Tree) -> float:
    """Elementary weight minus 1/density: 0 where the method agrees with the exact solution's Taylor series."""
    weight = sum(b * phi for b, phi in zip(tableau.b, _stage_weights(tableau, tree), strict=True))
    return abs(weight - 1 / _density(tree))


def test_there_are_as_many_rooted_trees_as_known():
    assert [len(_trees(size)) for size in range(1, 8)] == [1, 1, 2, 4, 9, 20, 48]


@pytest.mark.parametrize("tableau", TABLEAUS.values(), ids=TABLEAUS)
def test_every_solver_has_the_order_it_states_and_no_more(tableau):
    for size in range(1, tableau.order + 1):
        for tree in _trees(size):
            assert _defect(tableau, tree) < 1e-14, tree
    assert max(_defect(tableau, tree) for tree in _trees(tableau.order + 1)) > 1e-3


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"c": (0, 0.4), "a": ((), (0.5,)), "b": (0, 1)}, "row 1 sums to 0.5, but c is 0.4"),
        ({"c": (0, 0.5), "a": ((), (0.5,)), "b": (0.5, 0.6)}, "weights b sum to 1.1"),
        ({"c": (0, 0.5), "a": ((), (0.25, 0.25)), "b": (0, 1)}, "not explicit"),
        ({"c": (0,), "a": ((), (0.5,)), "b": (0, 1)}, "one entry per stage"),
    ],
)
def test_a_wrong_tableau_is_refused_when_it_is_made(fields, sentence):
    with pytest.raises(ExportError, match=sentence):
        Tableau("wrong", 2, **fields)
