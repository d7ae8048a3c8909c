"""What `frame_stages` found, as figures and as a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hemonode.benchmarks.machine import Machine
from hemonode.benchmarks.stage_clock import StageFigures

PIPELINE_STAGES = ("preprocess", "count")
"""What a worker of the live pipeline does beside the engine; decoding and encoding are the camera's and the page's."""

OUTSIDE_STAGES = ("decode", "preprocess", "count", "overlay")
"""All work on a frame outside the engine; the page's encoder is not counted."""


@dataclass(frozen=True)
class EngineReport:
    """One engine's figures. `rate_hz` is measured with one single-threaded worker per core."""

    engine: str
    version: str
    precision: str
    setting: str
    stages: dict[str, StageFigures]
    cores: int
    rate_hz: float

    def cpu_ms(self, stages: Sequence[str]) -> float:
        """Processor milliseconds per frame of some stages together."""
        return sum(self.stages[stage].cpu_ms for stage in stages)

    @property
    def allowed_hz(self) -> float:
        """Frames per second if every core did nothing but the pipeline's stages."""
        return 1e3 * self.cores / self.cpu_ms(("engine", *PIPELINE_STAGES))

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON types."""
        derived = {
            "outside_engine_cpu_ms": self.cpu_ms(OUTSIDE_STAGES),
            "allowed_hz": self.allowed_hz,
            "rate_of_allowed": self.rate_hz / self.allowed_hz,
        }
        return {**asdict(self), **derived}


def as_markdown(machine: Machine, bundle: str, reports: Sequence[EngineReport]) -> str:
    """Header, a table per engine, and the rate."""
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    lines = [
        "# Milliseconds per 640×480 frame and stage",
        "",
        f"{machine.processor}, {machine.cores} cores, load {machine.load} before the start; {machine.system}",
        f"Python {machine.python}, {libraries}. Bundle {bundle}.",
        "Stages on one thread, after warm-up; monotonic clock and process CPU time.",
    ]
    for report in reports:
        lines += ["", f"## {report.engine} ({report.version}), {report.precision}, {report.setting}", ""]
        lines += ["| stage | p50 ms | p90 ms | p99 ms | CPU-ms (median) |", "|---|---|---|---|---|"]
        lines += [
            f"| {stage} | {spent.p50_ms:.2f} | {spent.p90_ms:.2f} | {spent.p99_ms:.2f} | {spent.cpu_ms:.2f} |"
            for stage, spent in report.stages.items()
        ]
        lines += [
            "",
            f"Outside the engine ({', '.join(OUTSIDE_STAGES)}): {report.cpu_ms(OUTSIDE_STAGES):.2f} CPU-ms.",
            f"Pipeline, {report.cores} workers of one thread: {report.rate_hz:.1f} frames/s, "
            f"{report.rate_hz / report.allowed_hz:.2f} of cores / (engine + {' + '.join(PIPELINE_STAGES)}) "
            f"= {report.allowed_hz:.1f}.",
        ]
    return "\n".join(lines)
