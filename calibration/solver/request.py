"""What was asked of `calibrate solver`, and the question that it puts to the search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hemonode.export.search.question import Limits, Question, usual_limits
from hemonode.export.tableau import TABLEAUS, find_tableau
from hemonode.runtime.engines.contract import AskedPrecision


@dataclass(frozen=True)
class Request:
    """What was asked on the command line; see `hemonode calibrate solver --help`."""

    checkpoint: Path
    tolerances: tuple[float, ...]
    data: tuple[str, ...]
    roots: tuple[Path, ...]
    out: Path
    split: str
    images: int
    held_out_data: tuple[str, ...]
    held_out_roots: tuple[Path, ...]
    held_out_split: str
    held_out_images: int
    methods: tuple[str, ...]
    budget: int
    estimate: bool
    half: bool
    changed_pixels: float | None
    changed_counts: float | None
    engine: str | None
    precision: AskedPrecision
    threads: int | None
    seed: int
    as_json: bool

    def question(self) -> Question:
        """The question to the search.

        Raises:
            SolverError: a tolerance that cannot be kept.
            ExportError: an unknown method.
        """
        return Question(
            tolerances=self.tolerances,
            tableaus=tuple(map(find_tableau, dict.fromkeys(self.methods))) or tuple(TABLEAUS.values()),
            budget=self.budget,
            estimate=self.estimate,
            half=self.half,
            limits={tolerance: self._limits(tolerance) for tolerance in self.tolerances},
        )

    def _limits(self, tolerance: float) -> Limits:
        usual = usual_limits(tolerance)
        return Limits(
            mask=usual.mask if self.changed_pixels is None else self.changed_pixels,
            counts=usual.counts if self.changed_counts is None else self.changed_counts,
        )
