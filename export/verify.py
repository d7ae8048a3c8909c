"""The proof of a setting: torch adaptive ↔ torch unrolled ↔ its ONNX graphs, on real pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from hemonode.export.findings import Finding, Limits, check_agreement, judge
from hemonode.export.graph.writer import Heads
from hemonode.export.reference import AdaptiveAnswer, block_error, predict
from hemonode.export.session import GraphSession, MagnitudeSession
from hemonode.export.settings import Setting, integrating
from hemonode.export.strict import centre_crop, predict_strictly
from hemonode.runtime.bundle.schema import Manifest, Precision, SettingVerification
from hemonode.runtime.counting.peaks import counted_peaks
from hemonode.runtime.prediction import Prediction
from hemonode.train.models.table import ode_blocks


@dataclass(frozen=True)
class Proof:
    """Everything that the settings of one network are verified against.

    Attributes:
        manifest: thresholds, classes and scale, by which a device counts.
        answers: what the adaptively solved network says of each picture.
        advance: called after each graph and picture.
    """

    model: nn.Module
    heads: Heads
    manifest: Manifest
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
            if precision == "fp16":
                agreement = self._strict_agreement(setting, graph)
                records[precision] = records[precision].model_copy(update={"mask_agreement_strict_fp16": agreement})
        return records

    def _strict_agreement(self, setting: Setting, graph: Path) -> float:
        crop = centre_crop(self.answers[0].frame, self.manifest.input.minimum)
        with integrating(self.model, setting.solvers):
            expected = predict(self.model, crop, self.heads)
        agreement = share_equal(predict_strictly(graph, crop).class_ids, expected.class_ids)
        check_agreement(f"setting {setting.name}, strictly in fp16,", crop.name, agreement, "fp16", self.limits)
        return agreement

    def _count_difference(self, first: Prediction, second: Prediction) -> int:
        counts, others = (
            Counter(counted_peaks(prediction.peaks[0], self.manifest)[:, 0].tolist()) for prediction in (first, second)
        )
        return sum(abs(counts[class_id] - others[class_id]) for class_id in counts.keys() | others.keys())


def share_equal(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> float:
    """Share of equal entries of two arrays of one shape."""
    return float(np.mean(first == second))
