"""Which parts of a setting's INT8 graph compute in 8 bits, found by running it on real pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from torch import nn

from hemonode.errors import ExportError
from hemonode.export.findings import share_equal
from hemonode.export.graph.eight_bits import ConvRanges
from hemonode.export.graph.weights import WeightFile, WeightOverflow
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.half.trial import Expected
from hemonode.export.int8.engines import Answering, open_everywhere
from hemonode.export.int8.parts import Part, paths_outside, share_of
from hemonode.export.session import GraphSession
from hemonode.export.settings import Setting, integrating
from hemonode.runtime.prediction import Prediction

LEAST_SHARE = 0.5
"""Of the network's multiply-adds. Passing between 8 bits and FP32 costs time, too: below this, little is won."""

Fault = Callable[[int, Prediction], str | None]
"""What is wrong with an answer for the picture of that index, or None."""


class BeyondInt8(ExportError):
    """A setting that keeps the gate with too little of its work in 8 bits."""


class Int8Graph(NamedTuple):
    """How a setting is written in INT8.

    Attributes:
        ranges: of the convolutions that compute in 8 bits, by name.
        kept_fp32: paths of the parts that compute in FP32.
        share: of the multiply-adds, that are in 8 bits.
        rounding_errors: see `SettingVerification`; by position.
        calibration_images: see there.
    """

    ranges: Mapping[str, ConvRanges]
    kept_fp32: tuple[str, ...]
    share: float
    rounding_errors: Mapping[int, float] = {}
    calibration_images: int = 0


@dataclass(frozen=True)
class Trial:
    """Writes one setting with some parts in 8 bits, and runs it.

    Attributes:
        expected: the pictures, and what the same solver answers in FP32.
        fault: the verification gate.
        ranges: of all convolutions, by name.
    """

    model: nn.Module
    setting: Setting
    heads: Heads
    expected: Sequence[Expected]
    fault: Fault
    ranges: Mapping[str, ConvRanges]

    def ranges_of(self, parts: Iterable[Part]) -> dict[str, ConvRanges]:
        """Ranges of the convolutions of some parts."""
        return {conv: self.ranges[conv] for part in parts for conv in part.convs}

    @contextmanager
    def written(self, parts: Sequence[Part]) -> Iterator[Path]:
        """The graph with these parts in 8 bits, while the block lasts.

        Raises:
            WeightOverflow: a weight of one of them does not fit.
        """
        weights = WeightFile("int8")
        with integrating(self.model, self.setting.solvers):
            graph = write_graph(
                self.model,
                self.setting.name,
                self.heads,
                weights,
                tolerance=self.setting.tolerance,
                ranges=self.ranges_of(parts),
            )
        with tempfile.TemporaryDirectory() as folder:
            weights.save(Path(folder))
            path = Path(folder) / f"{self.setting.name}.onnx"
            path.write_bytes(graph.SerializeToString())
            yield path

    def changed(self, parts: Sequence[Part]) -> float:
        """The largest share of a picture's mask that differs from FP32's; 1 where the graph cannot be written."""
        try:
            with self.written(parts) as path:
                session = GraphSession(path)
                return max(
                    1 - share_equal(session.predict(frame).class_ids, answer.class_ids)
                    for frame, answer in self.expected
                )
        except WeightOverflow:
            return 1.0

    def fault_of(self, parts: Sequence[Part], *, everywhere: bool) -> str | None:
        """The first fault on any picture, as ONNX Runtime answers, or `everywhere`, any engine here."""
        try:
            with self.written(parts) as path:
                sessions: Iterable[Answering] = open_everywhere(path).values() if everywhere else [GraphSession(path)]
                for session in sessions:
                    for index, (frame, _) in enumerate(self.expected):
                        if (fault := self.fault(index, session.predict(frame))) is not None:
                            return fault
        except WeightOverflow as error:
            return str(error)
        return None


def search_int8(trial: Trial, parts: Sequence[Part]) -> Int8Graph:
    """The graph with those parts in 8 bits that save most work for what they change, as many as the gate lets pass.

    Each part is tried alone, then added to those before it in the order of work over changed mask pixels, and left out
    where a picture fails. That is judged by ONNX Runtime; where another engine fails, the last ones are taken back.

    Raises:
        BeyondInt8: too little of the work can be in 8 bits; the sentence says what is in the way.
    """
    chosen: list[Part] = []
    obstacle: str | None = None
    for part in _by_price(trial, parts):
        fault = trial.fault_of([*chosen, part], everywhere=False)
        if fault is None:
            chosen.append(part)
        obstacle = obstacle or fault
    while chosen and (fault := trial.fault_of(chosen, everywhere=True)) is not None:
        chosen.pop()
        obstacle = fault
    if share_of(chosen) < LEAST_SHARE:
        raise BeyondInt8(
            f"setting {trial.setting.name} is not worth writing in int8, with {share_of(chosen):.0%} of its work in 8 "
            f"bits: {obstacle or 'the rest is done by its heads'}; ask for less with --int8-agreement"
        )
    kept = paths_outside(trial.model, [part.path for part in chosen])
    return Int8Graph(trial.ranges_of(chosen), kept, share_of(chosen))


def _by_price(trial: Trial, parts: Sequence[Part]) -> list[Part]:
    changed = {part: trial.changed([part]) for part in parts}
    return sorted(parts, key=lambda part: changed[part] / part.share)
