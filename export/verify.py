"""The proof of a setting: torch adaptive ↔ torch unrolled ↔ its ONNX graphs, on real pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import onnx
from torch import nn

from hemonode.export.counted import cells_apart, counted_cells
from hemonode.export.findings import Finding, Limits, judge, share_equal, shortfall
from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.writer import Heads
from hemonode.export.half.block_rounding import block_rounding, check_tolerance
from hemonode.export.half.trial import Demands, Expected, HalfGraph, HalfSearch, Largest
from hemonode.export.int8.block_rounding import int8_rounding
from hemonode.export.int8.calibration import calibrate
from hemonode.export.int8.engines import open_everywhere
from hemonode.export.int8.parts import quantisable_parts
from hemonode.export.int8.trial import Int8Graph, Trial, search_int8
from hemonode.export.reference import AdaptiveAnswer, predict
from hemonode.export.session import GraphSession, MagnitudeSession
from hemonode.export.settings import Setting, integrating
from hemonode.runtime.bundle.schema import Manifest, Precision, SettingVerification
from hemonode.runtime.prediction import Prediction

Lowered = HalfGraph | Int8Graph
"""How a graph was written in less than FP32."""


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

    def int8(
        self, setting: Setting, ground: Ground, fp32_graph: Path, calibration: Sequence[PreparedFrame]
    ) -> Int8Graph:
        """How a setting is to be written in INT8, with parts of it in FP32 where 8 bits are not enough.

        Args:
            setting: the setting.
            ground: its own.
            fp32_graph: its graph in fp32.
            calibration: pictures of the training split.

        Raises:
            BeyondInt8: too little of it can be in 8 bits.
        """
        frames = (answer.frame for answer in self.answers)

        def fault(index: int, prediction: Prediction) -> str | None:
            return shortfall("int8", self._finding(index, ground, prediction), self.limits)

        trial = Trial(
            self.model,
            setting,
            self.heads,
            [Expected(*pair) for pair in zip(frames, ground.unrolled, strict=True)],
            fault,
            calibrate(fp32_graph, calibration),
        )
        parts = quantisable_parts(self.model, onnx.load(fp32_graph, load_external_data=False))
        found = search_int8(trial, parts)
        return found._replace(
            rounding_errors=int8_rounding(self.model, setting, self.answers, found.ranges),
            calibration_images=len(calibration),
        )

    def record(
        self, setting: Setting, precision: Precision, graph: Path, ground: Ground, lowered: Lowered | None
    ) -> SettingVerification:
        """The verification record of one graph; `lowered` is how it was written where it is no fp32 one.

        Raises:
            ExportError: the graph fails a limit.
        """
        half = lowered if isinstance(lowered, HalfGraph) else None
        sessions = open_everywhere(graph) if precision == "int8" else {"": GraphSession(graph)}
        findings: dict[str, list[Finding]] = {engine: [] for engine in sessions}
        for index, answer in enumerate(self.answers):
            for engine, session in sessions.items():
                rounded = None if half is None else half.predictions[index]
                findings[engine].append(self._finding(index, ground, session.predict(answer.frame), rounded))
            self.advance()
        graph_name = f"setting {setting.name} in {precision}"
        records = {engine: judge(graph_name, precision, found, self.limits) for engine, found in findings.items()}
        record = min(records.values(), key=lambda record: record.mask_agreement_unrolled_onnx)
        about = self._about(graph, ground, lowered)
        if precision == "int8":
            about["agreement_by_engine"] = {e: r.mask_agreement_unrolled_onnx for e, r in records.items()}
        return record.model_copy(update=about)

    def _finding(self, index: int, ground: Ground, onnx_cpu: Prediction, rounded: Prediction | None = None) -> Finding:
        """One graph on one picture; `rounded` is its answer in FP16 arithmetic."""
        answer, torch_unrolled = self.answers[index], ground.unrolled[index]
        own = onnx_cpu if rounded is None else rounded
        return Finding(
            answer.frame.name,
            share_equal(onnx_cpu.class_ids, torch_unrolled.class_ids),
            None if rounded is None else share_equal(rounded.class_ids, torch_unrolled.class_ids),
            share_equal(own.class_ids, answer.prediction.class_ids),
            self._count_difference(own, answer.prediction),
        )

    def _about(self, graph: Path, ground: Ground, lowered: Lowered | None) -> dict[str, object]:
        nodes = onnx.load(graph, load_external_data=False).graph.node
        about: dict[str, object] = {
            "largest_magnitude": max(largest.value for largest in ground.magnitudes.values()),
            "mask_agreement_adaptive_unrolled": min(
                share_equal(unrolled.class_ids, answer.prediction.class_ids)
                for unrolled, answer in zip(ground.unrolled, self.answers, strict=True)
            ),
            "casts": sum(node.op_type == "Cast" for node in nodes),
        }
        if isinstance(lowered, HalfGraph):
            about["magnitudes"] = {name: largest.value for name, largest in ground.magnitudes.items()}
        if isinstance(lowered, Int8Graph):
            about |= {"int8_share": lowered.share, "calibration_images": lowered.calibration_images}
        if lowered is not None:
            about |= {"kept_fp32": lowered.kept_fp32, "rounding_errors": dict(lowered.rounding_errors)}
        return about

    def _count_difference(self, first: Prediction, second: Prediction) -> int:
        return cells_apart(*(counted_cells(prediction, self.manifest) for prediction in (first, second)))
