"""Which parts of a setting's FP16 graph must stay in FP32, found by running it in FP16 arithmetic on real pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from onnx import ModelProto
from torch import nn

from hemonode.errors import ExportError
from hemonode.export.findings import share_equal
from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.weights import WeightFile, WeightOverflow
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.half.parts import fewest_parts, parts_of
from hemonode.export.half.rounding import RoundedSession, half_values
from hemonode.export.settings import Setting, integrating
from hemonode.runtime.prediction import Prediction


class HalfGraph(NamedTuple):
    """How a setting is written in FP16, and what that graph does in FP16 arithmetic.

    Attributes:
        kept_fp32: paths of the parts that compute in FP32.
        predictions: one per picture.
        rounding_errors: see `SettingVerification`; by position.
    """

    kept_fp32: tuple[str, ...]
    predictions: tuple[Prediction, ...]
    rounding_errors: Mapping[int, float] = {}


class Largest(NamedTuple):
    """A largest magnitude, and the picture on which it is reached."""

    value: float
    image: str


class Expected(NamedTuple):
    """One picture, and what the same solver answers in FP32."""

    frame: PreparedFrame
    prediction: Prediction


@dataclass(frozen=True)
class Demands:
    """What an FP16 graph must keep on every picture.

    Attributes:
        agreement: least share of the mask that equals FP32's.
        magnitudes: largest value of each convolution, by its name, over the pictures.
        largest: that an FP16 convolution may take or give.
    """

    agreement: float
    magnitudes: Mapping[str, Largest]
    largest: float


class HalfSearch:
    """Writes one setting in FP16 with more or fewer parts in FP32, and runs it in FP16 arithmetic."""

    def __init__(
        self, model: nn.Module, setting: Setting, heads: Heads, expected: Sequence[Expected], demands: Demands
    ) -> None:
        self._model, self._setting, self._heads, self._demands = model, setting, heads, demands
        self._expected = dict(enumerate(expected))
        self._found: dict[frozenset[str], dict[int, Prediction]] = {}
        self._faults: list[str] = []

    def run(self) -> HalfGraph:
        """The graph with the fewest parts in FP32.

        Raises:
            ExportError: the setting does not keep the demands unless all of it computes in FP32.
        """
        parts = parts_of(self._model)
        kept = fewest_parts(parts, self._holds)
        if kept is None or len(kept) == len(parts):
            raise ExportError(
                f"setting {self._setting.name} cannot be written in fp16, whatever parts of it stay in FP32: "
                f"{self._faults[0]}; export it in fp32 only, or ask for less with --fp16-agreement"
            )
        answers = self._found[frozenset(kept)]
        return HalfGraph(kept, tuple(answers[index] for index in sorted(answers)))

    def _holds(self, kept: Collection[str]) -> bool:
        try:
            answers, fault = self._try(kept)
        except WeightOverflow as error:
            answers, fault = {}, str(error)
        if fault is None:
            self._found[frozenset(kept)] = answers
            return True
        self._faults.append(fault)
        return False

    def _try(self, kept: Collection[str]) -> tuple[dict[int, Prediction], str | None]:
        """The answers, and what is wrong with the first picture that does not keep the demands."""
        weights = WeightFile("fp16")
        with integrating(self._model, self._setting.solvers):
            graph = write_graph(self._model, self._setting.name, self._heads, weights, kept, self._setting.tolerance)
        answers: dict[int, Prediction] = {}
        if (fault := self._overflow(graph)) is not None:
            return answers, fault
        with tempfile.TemporaryDirectory() as folder:
            weights.save(Path(folder))
            session = RoundedSession(graph, Path(folder))
            for index, expected in list(self._expected.items()):
                answers[index] = session.predict(expected.frame)
                share = share_equal(answers[index].class_ids, expected.prediction.class_ids)
                if not share >= self._demands.agreement:
                    # The picture that failed is likely to fail again, so the next trial starts with it.
                    self._expected = {index: expected, **self._expected}
                    return answers, (
                        f"on {expected.frame.name} {share:.4%} of the mask equals FP32's, below "
                        f"{self._demands.agreement:.2%}"
                    )
        return answers, None

    def _overflow(self, graph: ModelProto) -> str | None:
        halves = half_values(graph)
        for node in graph.graph.node:
            if node.op_type == "Conv" and node.output[0] in halves:
                largest = self._demands.magnitudes[node.name]
                if not largest.value <= self._demands.largest:
                    return (
                        f"on {largest.image} {node.name} reaches {largest.value:.3g}, above {self._demands.largest:.0f}"
                    )
        return None
