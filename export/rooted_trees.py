"""Rooted trees, and the order conditions that they set for Runge-Kutta methods.

Butcher 1963; Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section II.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement
from math import prod
from typing import TypeAlias

Tree: TypeAlias = "tuple[Tree, ...]"
"""The trees that hang from the root; a leaf is ()."""


@cache
def trees(size: int) -> tuple[Tree, ...]:
    """Every rooted tree with `size` nodes: 1, 1, 2, 4, 9, 20, 48, … of them."""
    return tuple(_forests(size - 1, size - 1))


def _forests(size: int, largest: int) -> Iterator[Tree]:
    """Every multiset of trees with `size` nodes together, none of them larger than `largest`."""
    if size == 0:
        yield ()
    for first in range(min(size, largest), 0, -1):
        for count in range(1, size // first + 1):
            for rest in _forests(size - first * count, first - 1):
                for same in combinations_with_replacement(trees(first), count):
                    yield same + rest


def nodes(tree: Tree) -> int:
    """How many nodes a tree has: the order of its condition."""
    return 1 + sum(map(nodes, tree))


def density(tree: Tree) -> int:
    """γ(t): the condition is Σ b_i·Φ_i(t) = 1/γ(t)."""
    return nodes(tree) * prod(map(density, tree))


def label(tree: Tree) -> str:
    """Butcher's brackets: τ is one node, [τ,τ] a root with two leaves."""
    return f"[{','.join(map(label, tree))}]" if tree else "τ"


@dataclass(frozen=True)
class Broken:
    """An order condition that a method does not keep: Σ b_i·Φ_i(tree) is `found` instead of 1/γ(tree)."""

    tree: Tree
    found: Fraction

    @property
    def order(self) -> int:
        """The order that this condition belongs to."""
        return nodes(self.tree)

    @property
    def defect(self) -> Fraction:
        """How far from kept, without sign."""
        return abs(self.found - Fraction(1, density(self.tree)))

    def __str__(self) -> str:
        return (
            f"the order-{self.order} condition of the tree {label(self.tree)} gives {float(self.found):.12g}, "
            f"not 1/{density(self.tree)}"
        )


def broken_conditions(
    a: Sequence[Sequence[Fraction]], b: Sequence[Fraction], orders: Iterable[int], tolerance: float
) -> Iterator[Broken]:
    """The conditions of these orders that a method misses by more than `tolerance`, in exact arithmetic.

    Args:
        a: row i holds the coefficients of the stages before stage i.
        b: one weight per row.
        orders: which conditions to look at: those of an order have a tree with that many nodes.
        tolerance: a condition that is missed by no more than this is kept.
    """
    known: dict[Tree, list[Fraction]] = {}

    def weights(tree: Tree) -> list[Fraction]:
        """Φ_i of each stage."""
        if tree not in known:
            below = [weights(child) for child in tree]
            known[tree] = [prod((_dot(row, one) for one in below), start=Fraction(1)) for row in a]
        return known[tree]

    for order in orders:
        for tree in trees(order):
            condition = Broken(tree, _dot(b, weights(tree)))
            if condition.defect > tolerance:
                yield condition


def _dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    # A row of a is shorter than the list of stages: the method is explicit.
    return sum((x * y for x, y in zip(left, right, strict=False) if x), Fraction(0))
