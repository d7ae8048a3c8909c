"""The benchmark as tables: one list of columns that Markdown, CSV and the terminal share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hemonode.benchmarks.bench.figures import Line

Value = float | int | str | None


@dataclass(frozen=True)
class Column:
    """One figure of a line.

    Attributes:
        key: its name in CSV, with the unit.
        head: its heading in Markdown; None leaves it to CSV.
        value: of a line; None where it was not measured.
        form: format specification for readers.
        short: whether the terminal shows it, too.
    """

    key: str
    head: str | None
    value: Callable[[Line], Value]
    form: str = ""
    short: bool = False

    def text(self, line: Line) -> str:
        """For readers: a dash where there is no figure."""
        value = self.value(line)
        return "–" if value is None else format(value, self.form)


# In reading order. A new figure is one entry.
COLUMNS = (
    Column("engine", "engine", lambda line: line.contestant.engine),
    Column("precision", "precision", lambda line: line.contestant.precision),
    Column("setting", "setting", lambda line: line.contestant.setting or "dopri5", short=True),
    Column("batch", "batch", lambda line: line.batch, short=True),
    Column("evaluations", "NFE", lambda line: line.cost.evaluations, ".4g"),
    Column("gmac_per_frame", "GMAC", lambda line: _scaled(line.cost.multiply_adds, 1e-9), ".2f"),
    Column("p50_ms", "p50 ms", lambda line: line.latency.p50_ms, ".1f", short=True),
    Column("p90_ms", "p90 ms", lambda line: line.latency.p90_ms, ".1f"),
    Column("p99_ms", "p99 ms", lambda line: line.latency.p99_ms, ".1f"),
    Column("largest_ms", None, lambda line: line.latency.largest_ms, ".1f"),
    Column("processor_ms", "CPU-ms", lambda line: line.latency.processor_ms, ".1f"),
    Column("runs", "runs", lambda line: line.latency.runs),
    Column("between_rounds", "±", lambda line: line.latency.between_rounds, ".0%"),
    Column("frames_per_s", "frames/s", lambda line: line.frames_per_s, ".1f"),
    Column("times_faster", "times faster", lambda line: line.times_faster, ".2f", short=True),
    Column("times_less_work", "times less work", lambda line: line.times_less_work, ".2f"),
    Column("open_s", "open s", lambda line: line.cost.open_s, ".2f"),
    Column("graph_kb", "graph kB", lambda line: _scaled(line.cost.graph_bytes, 1e-3), ".0f"),
    Column("peak_mb", "peak MB", lambda line: line.cost.peak_mb, ".0f"),
    Column("engine_mb", "engine MB", lambda line: line.cost.engine_mb, ".0f"),
    Column("state_error", "state error", lambda line: line.quality.state_error, ".1e"),
    Column("tile_error", "tile error", lambda line: line.quality.tile_error, ".1e"),
    Column("mask_agreement", "same mask", lambda line: _agreement(line, "mask"), ".3%", short=True),
    Column("worst_mask_agreement", "worst", lambda line: _agreement(line, "worst_mask"), ".3%"),
    Column("recorded_mask_agreement", "recorded", lambda line: line.quality.recorded_agreement, ".3%"),
    Column("changed_counts", "changed counts", lambda line: _agreement(line, "changed_counts"), ".2%"),
    Column("miou", "MIoU", lambda line: line.quality.miou, ".4f", short=True),
    Column("count_accuracy", "counts", lambda line: line.quality.count_accuracy, ".4f", short=True),
)


def columns_of(lines: Sequence[Line]) -> list[Column]:
    """All columns, with one for each energy meter of these lines."""
    meters = dict.fromkeys(meter for line in lines for meter in line.cost.energy_j)
    return [*COLUMNS, *(_energy(meter) for meter in meters)]


def _energy(meter: str) -> Column:
    return Column(f"energy_j_per_frame {meter}", f"J/frame, {meter}", lambda line: line.cost.energy_j.get(meter), ".3g")


def _agreement(line: Line, figure: str) -> float | None:
    if line.quality.agreement is None:
        return None
    value: float | None = getattr(line.quality.agreement, figure)
    return value


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
