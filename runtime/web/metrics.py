"""The live view's figures as Prometheus scrapes them: made from one status when they are asked for, kept nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import CollectorRegistry

from hemonode.runtime.live.status import CameraState, LiveStatus, Percentiles, RecorderState, State, TallyState

Labels = tuple[str, ...]


def metrics_text(status: LiveStatus, refusals: Mapping[str, int], accept: str) -> tuple[bytes, str]:
    """All metrics, and their media type.

    Args:
        status: of this moment.
        refusals: requests refused so far, by cause.
        accept: header of whoever asks: OpenMetrics, or Prometheus' older text.
    """
    registry = CollectorRegistry()
    registry.register(_Snapshot([*_view(status), *_solver(status), *_kept(status), _refusals(refusals)]))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Snapshot:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        return iter(self._families)


def _view(status: LiveStatus) -> Iterator[Metric]:
    source, model = status.source, status.model
    yield InfoMetricFamily(
        "hemonode",
        "What runs",
        {
            "version": status.hemonode,
            "bundle": model.bundle,
            "bundle_sha256": model.sha256,
            "engine": model.engine,
            "engine_version": model.version,
            "device": model.device,
            "precision": model.precision,
        },
    )
    yield _one_of("hemonode_state", "State of the live view", status.state, get_args(State))
    yield _gauge("hemonode_uptime_seconds", "Since the start", status.uptime_s)
    yield _one_of("hemonode_source_state", "State of the camera", source.state, get_args(CameraState))
    yield _counter("hemonode_frames_captured", "Pictures that the camera gave", source.captured)
    yield _counter("hemonode_source_stalls", "Times the camera stopped without an error", source.stalls)
    yield _counter("hemonode_source_reopenings", "Times the camera was opened again", source.reopened)
    yield _gauge("hemonode_source_rate_hertz", "Pictures a second that arrive", source.rate_hz)
    yield _gauge("hemonode_source_age_seconds", "Since the latest picture", source.age_s)
    yield _counter("hemonode_results", "Frames that became results", status.results)
    yield _gauge("hemonode_result_rate_hertz", "Results a second", status.rate_hz)
    yield _counters("hemonode_frames_dropped", "Frames that became no result, by cause", "cause", status.drops)
    yield _stages(status.stages)
    faults = {fault.origin: fault.count for fault in status.faults}
    yield _counters("hemonode_faults", "Faults so far, of the parts that had one lately", "origin", faults)
    yield _gauges("hemonode_temperature_celsius", "By sensor", "sensor", status.host.temperatures_c)
    yield _gauge("hemonode_memory_free_bytes", "Of the machine", status.host.memory_free_bytes)
    yield _gauge("hemonode_pages", "Pages that watch", status.pages)


def _solver(status: LiveStatus) -> Iterator[Metric]:
    solver = status.solver
    settings = [rung.setting for rung in solver.rungs]
    yield _one_of("hemonode_solver_setting", "Solver setting in use", solver.setting, settings)
    yield _counter("hemonode_solver_moves", "Times the setting changed", solver.moves)
    yield _counter("hemonode_solver_stepped_up_frames", "Frames run again on a better setting", solver.stepped_up)
    target_s = None if solver.target_ms is None else solver.target_ms / 1e3
    yield _gauge("hemonode_solver_target_seconds", "Latency or frame time that is kept", target_s)
    yield _gauge("hemonode_solver_memory_bytes", "Of the open engines, as far as it is known", solver.memory_bytes)
    engines_s = {rung.setting: rung.engine_ms / 1e3 for rung in solver.rungs if rung.engine_ms is not None}
    yield _gauges("hemonode_solver_engine_seconds", "A frame's time in the engine, by setting", "setting", engines_s)
    blocks = solver.error.blocks if solver.error else ()
    errors = {str(block.position): block.estimate for block in blocks}
    text = "Error that each ODE block reports, in units of its tolerance"
    yield _gauges("hemonode_solver_error_ratio", text, "block", errors)


def _kept(status: LiveStatus) -> Iterator[Metric]:
    tally, recorder = status.tally, status.recorder
    yield _one_of("hemonode_tally_state", "State of the running tally", tally.state, get_args(TallyState))
    cells = {found.name: found.counted for found in tally.classes}
    yield _gauges("hemonode_tally_cells", "Cells of the running tally, by class", "class", cells)
    yield _gauge("hemonode_tally_fields", "Area that the running tally covers, in fields of view", tally.fields)
    yield _gauge("hemonode_tally_progress_ratio", "Towards the goal of the running tally", tally.progress)
    text = "Frames that the running tally refused, by reason"
    yield _gauges("hemonode_tally_refused_frames", text, "reason", tally.refused)
    yield _one_of("hemonode_recorder_state", "State of the recorder", recorder.state, get_args(RecorderState))
    yield _gauge("hemonode_recorder_fields", "Fields of this session", recorder.fields)
    yield _gauge("hemonode_recorder_pictures", "Pictures of this session", recorder.pictures)
    yield _gauge("hemonode_recorder_waiting_fields", "Fields that are not yet written", recorder.waiting)
    yield _gauge("hemonode_recorder_used_bytes", "That pictures take", recorder.used_bytes)
    yield _gauge("hemonode_recorder_budget_bytes", "That pictures may take", recorder.budget_bytes)
    yield _gauge("hemonode_recorder_free_bytes", "Left on the disk", recorder.free_bytes)


def _refusals(refusals: Mapping[str, int]) -> Metric:
    return _counters("hemonode_requests_refused", "Requests and connections refused, by cause", "cause", refusals)


def _stages(stages: Mapping[str, Percentiles]) -> Metric:
    """A summary: quantiles over the last frames, which is what the page shows, too."""
    family = Metric("hemonode_stage_seconds", "Time of each stage over the last frames", "summary")
    for stage, spent in stages.items():
        for quantile, spent_ms in (("0.5", spent.p50_ms), ("0.9", spent.p90_ms), ("0.99", spent.p99_ms)):
            labels = {"stage": stage, "quantile": quantile}
            family.add_sample("hemonode_stage_seconds", labels, spent_ms / 1e3)
    return family


def _gauge(name: str, text: str, value: float | None) -> Metric:
    """Without a sample where the value is not known."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric((), value)
    return family


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _one_of(name: str, text: str, current: str, known: Iterable[str]) -> Metric:
    """1 for the current one and 0 for the others, so that each can be drawn and alerted on."""
    return _gauges(name, text, name.rpartition("_")[2], {word: float(word == current) for word in (*known, current)})
