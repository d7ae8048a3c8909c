"""The proof of a setting: torch adaptive ↔ torch unrolled ↔ its ONNX graphs, on real pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from hemonode.export.findings import Finding, Limits, judge
from hemonode.export.graph.writer import Heads
from hemonode.export.reference import AdaptiveAnswer, block_error, predict
from hemonode.export.session import GraphSession, MagnitudeSession
from hemonode.export.settings import Setting, integrating
from hemonode.runtime.bundle.schema import Precision, SettingVerification
from hemonode.runtime.prediction import Prediction
from hemonode.train.models.table import ode_blocks


@dataclass(frozen=True)
class Proof:
    """Everything that the settings of one network are verified against.

    Attributes:
        thresholds: class id → least score of a counted cell.
        answers: what the adaptively solved network says of each picture.
        advance: called after each graph and picture.
    """

    model: nn.Module
    heads: Heads
    thresholds: Mapping[int, float]
    answers: Sequence[AdaptiveAnswer]
    limits: Limits
    advance: Callable[[], None]

    def block_errors(self, setting: Setting) -> dict[int, float]:
        """The largest error of each ODE block over the pictures, by position."""
        return {
            block.position: max(
                block_error(block, setting.solvers[block.position], answer.blocks[block.position])
                for answer in self.answers
            )
            for block in ode_blocks(self.model)
        }

    def records(
        self, setting: Setting, graphs: Mapping[Precision, Path], fp32_graph: Path
    ) -> dict[Precision, SettingVerification]:
        """The verification record of each precision of a setting. Magnitudes are measured in `fp32_graph`.

        Raises:
            ExportError: a graph fails a limit.
        """
        with integrating(self.model, setting.solvers):
            unrolled = [predict(self.model, answer.frame, self.heads) for answer in self.answers]
        magnitudes = MagnitudeSession(fp32_graph)
        largest = [magnitudes.largest(answer.frame) for answer in self.answers]
        records = {}
        for precision, graph in graphs.items():
            session = GraphSession(graph)
            findings = []
            for answer, torch_unrolled, magnitude in zip(self.answers, unrolled, largest, strict=True):
                onnx = session.predict(answer.frame)
                findings.append(
                    Finding(
                        answer.frame.name,
                        share_equal(onnx.class_ids, torch_unrolled.class_ids),
                        share_equal(onnx.class_ids, answer.prediction.class_ids),
                        self._count_difference(onnx, answer.prediction),
                        magnitude,
                    )
                )
                self.advance()
            records[precision] = judge(f"setting {setting.name} in {precision}", precision, findings, self.limits)
        return records

    def _count_difference(self, first: Prediction, second: Prediction) -> int:
        counts, others = (count_cells(prediction, self.thresholds) for prediction in (first, second))
        return sum(abs(counts[class_id] - others[class_id]) for class_id in counts)


def share_equal(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> float:
    """Share of equal entries of two arrays of one shape."""
    return float(np.mean(first == second))


def count_cells(prediction: Prediction, thresholds: Mapping[int, float]) -> dict[int, int]:
    """Peaks at or above their class's threshold in the first frame, by class id."""
    class_ids, scores = prediction.peaks[0, :, 0], prediction.peaks[0, :, 3]
    return {wanted: int(np.sum((class_ids == wanted) & (scores >= least))) for wanted, least in thresholds.items()}
