"""A tableau made ready to step: only the stages that count, coefficients as floats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, TypeVar

from hemonode.export.butcher import Tableau

Slope = TypeVar("Slope")
Terms: TypeAlias = Sequence[tuple[float, Slope]]
"""Σ weight · slope; no weight is 0."""


@dataclass(frozen=True)
class Row:
    """The coefficients of one sum that are not 0, by stage."""

    weights: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, coefficients: Sequence[Fraction]) -> Row:
        """Every coefficient that is not 0, rounded once."""
        return cls(tuple((index, float(weight)) for index, weight in enumerate(coefficients) if weight))

    def terms(self, step: float, slopes: Mapping[int, Slope]) -> Terms[Slope]:
        """The sum for a step of this length."""
        return [(step * weight, slopes[index]) for index, weight in self.weights]


@dataclass(frozen=True)
class Stage:
    """One evaluation of f: where in the step, and at which state."""

    index: int
    place: float
    row: Row

    def time(self, start: float, end: float) -> float:
        """Its time in the step from `start` to `end`, whose ends are met exactly."""
        return end if self.place == 1 else start + self.place * (end - start)


class Scheme:
    """What one step of a method computes.

    Attributes:
        stages: in order; a stage that nothing depends on, such as the last of an FSAL method, is left out.
        solution: the sum that leads to the end of the step.
        error: the sum that is the local error; empty without an estimate.
        end: index by which `error` calls the slope at the end of the step.
        needs_end_slope: whether it does.
    """

    def __init__(self, tableau: Tableau, *, estimate: bool) -> None:
        live = tableau.live_stages(estimate=estimate)
        self.stages = tuple(Stage(index, float(tableau.c[index]), Row.of(tableau.a[index])) for index in live)
        self.solution = Row.of(tableau.b)
        self.error = Row.of(tableau.error_weights or ()) if estimate else Row(())
        self.end = tableau.stages
        self.needs_end_slope = any(index == self.end for index, _ in self.error.weights)
