"""The proof of a setting: torch adaptive ↔ torch unrolled ↔ its ONNX graphs, on real pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import onnx
from torch import nn

from hemonode.export.counted import cells_apart, counted_cells
from hemonode.export.findings import Finding, Limits, judge, share_equal
from hemonode.export.graph.writer import Heads
from hemonode.export.half.block_rounding import block_rounding, check_tolerance
from hemonode.export.half.trial import Demands, Expected, HalfGraph, HalfSearch, Largest
from hemonode.export.reference import AdaptiveAnswer, predict
from hemonode.export.session import GraphSession, MagnitudeSession
from hemonode.export.settings import Setting, integrating
from hemonode.runtime.bundle.schema import Manifest, Precision, SettingVerification
from hemonode.runtime.prediction import Prediction


class Ground(NamedTuple):
    """What a setting's graphs are judged by: the same solver in torch, and how large the network's values become."""

    unrolled: tuple[Prediction, ...]
    magnitudes: Mapping[str, Largest]


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

    def ground(self, setting: Setting, fp32_graph: Path) -> Ground:
        """What the graphs of a setting are judged by. Magnitudes are measured in `fp32_graph`."""
        with integrating(self.model, setting.solvers):
            unrolled = tuple(predict(self.model, answer.frame, self.heads) for answer in self.answers)
        session = MagnitudeSession(fp32_graph)
        magnitudes: dict[str, Largest] = {}
        for answer in self.answers:
            for name, value in session.measure(answer.frame).items():
                magnitudes[name] = max(magnitudes.get(name, Largest(0.0, "")), Largest(value, answer.frame.name))
            self.advance()
        return Ground(unrolled, magnitudes)

    def half(self, setting: Setting, ground: Ground) -> HalfGraph:
        """How a setting is to be written in FP16, with parts of it in FP32 where FP16 is not enough.

        Raises:
            ExportError: FP16 is not enough whatever stays in FP32.
            BeyondHalf: it cannot hold the setting's tolerance.
        """
        frames = (answer.frame for answer in self.answers)
        expected = [Expected(*pair) for pair in zip(frames, ground.unrolled, strict=True)]
        demands = Demands(self.limits.agreement_unrolled_onnx["fp16"], ground.magnitudes, self.limits.largest_magnitude)
        half = HalfSearch(self.model, setting, self.heads, expected, demands).run()
        roundings = block_rounding(self.model, setting, self.answers, half.kept_fp32)
        check_tolerance(setting, roundings)
        return half._replace(rounding_errors={position: worst.error for position, worst in roundings.items()})

    def record(
        self, setting: Setting, precision: Precision, graph: Path, ground: Ground, half: HalfGraph | None
    ) -> SettingVerification:
        """The verification record of one graph; `half` is how it was written where it is an fp16 one.

        Raises:
            ExportError: the graph fails a limit.
        """
        session = GraphSession(graph)
        findings = []
        for index, answer in enumerate(self.answers):
            onnx_cpu, torch_unrolled = session.predict(answer.frame), ground.unrolled[index]
            own = onnx_cpu if half is None else half.predictions[index]
            findings.append(
                Finding(
                    answer.frame.name,
                    share_equal(onnx_cpu.class_ids, torch_unrolled.class_ids),
                    None if half is None else share_equal(own.class_ids, torch_unrolled.class_ids),
                    share_equal(own.class_ids, answer.prediction.class_ids),
                    self._count_difference(own, answer.prediction),
                )
            )
            self.advance()
        record = judge(f"setting {setting.name} in {precision}", precision, findings, self.limits)
        return record.model_copy(update=self._about(graph, ground, half))

    def _about(self, graph: Path, ground: Ground, half: HalfGraph | None) -> dict[str, object]:
        nodes = onnx.load(graph, load_external_data=False).graph.node
        about: dict[str, object] = {
            "largest_magnitude": max(largest.value for largest in ground.magnitudes.values()),
            "mask_agreement_adaptive_unrolled": min(
                share_equal(unrolled.class_ids, answer.prediction.class_ids)
                for unrolled, answer in zip(ground.unrolled, self.answers, strict=True)
            ),
            "casts": sum(node.op_type == "Cast" for node in nodes),
        }
        if half is not None:
            about["magnitudes"] = {name: largest.value for name, largest in ground.magnitudes.items()}
            about["kept_fp32"] = half.kept_fp32
            about["rounding_errors"] = half.rounding_errors
        return about

    def _count_difference(self, first: Prediction, second: Prediction) -> int:
        return cells_apart(*(counted_cells(prediction, self.manifest) for prediction in (first, second)))
