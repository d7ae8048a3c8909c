"""The benchmark as a Markdown report and as a short table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from hemonode.benchmarks.bench.ratios import SettingRatios
from hemonode.benchmarks.bench.result import Benchmark, Subject
from hemonode.benchmarks.bench.table import COLUMNS, columns_of
from hemonode.train.metrics.table import RESEARCH_USE

PICTURE_NAME = "bench.png"

NOTES = (
    "p50, p90, p99: milliseconds of one run (a whole batch) after warm-up, over all rounds; p99 from 100 runs on. "
    "±: how far the medians of the rounds lie apart. CPU-ms: median of what all threads together spent on a run; other "
    "programs disturb it far less.",
    "NFE: evaluations of f in one pass, all ODE blocks together; of dopri5, their mean over the frames. "
    "GMAC: 10⁹ multiply-adds of all convolutions, per frame.",
    "open s: first round, from the first import of the engine's library to its first answer, nothing cached. graph kB: "
    "the setting's ONNX file without the weights, which all settings share. engine MB: peak MB of its process without "
    "Python, NumPy and the frames.",
    "state error: the largest over the ODE blocks and pictures of ‖h − h_ref‖ / ‖h_ref − h(0)‖, as the bundle records, "
    "of fp16 and int8 graphs with what rounding adds, at most; tile error: in the worst 32 px tile.",
    "same mask: share of mask pixels equal to torch adaptive's, all pictures together; worst: in the worst picture; "
    "recorded: the worst of the bundle's own record. changed counts: Σ |difference| / Σ counts against torch adaptive.",
    "MIoU: of the confusion matrix summed over pictures, mean over data sets. counts: mean over pictures of "
    "1 − |predicted − true| / true, mean over classes.",
    "torch compile: its first mask is compared with torch eager's, whose accuracies stand for it.",
)


def markdown(benchmark: Benchmark, *, picture: bool) -> str:
    """The whole report."""
    parts = [f"# Benchmark of {benchmark.subject.bundle}", ""]
    parts += [f"**{sentence}**\n" for sentence in benchmark.warnings]
    parts += [f"- {sentence}" for sentence in [*_subject(benchmark.subject), *benchmark.circumstances.sentences()]]
    parts += [f"- {label}: {probed.version}, {probed.device}." for label, probed in benchmark.engines.items()]
    parts += [f"- {_steady(benchmark)}", ""]
    if picture:
        parts += [f"![Latency against accuracy]({PICTURE_NAME})", ""]
    parts += _lines_table(benchmark)
    if benchmark.ratios:
        parts += ["", f"## Against {benchmark.reference}", "", *_ratios_table(benchmark.ratios)]
    if benchmark.left_out:
        parts += ["", "## Left out", "", *(f"- {label}: {why}" for label, why in benchmark.left_out.items())]
    parts += ["", "## How to read it", "", *(f"- {note}" for note in NOTES), "", RESEARCH_USE]
    return "\n".join(parts) + "\n"


def terminal_table(benchmark: Benchmark) -> Table:
    """The figures that matter most, narrow enough for a terminal."""
    title = f"Benchmark of {benchmark.subject.bundle}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown = [column for column in COLUMNS if column.short]
    table.add_column("engine", no_wrap=True)
    for column in shown:
        # Where a terminal is too narrow, a figure goes on in the next line rather than lose digits.
        name = column.key == "setting"
        table.add_column(column.head or column.key, overflow="fold", no_wrap=name, justify="left" if name else "right")
    for line in benchmark.lines:
        table.add_row(line.contestant.label, *(column.text(line) for column in shown))
    return table


def _lines_table(benchmark: Benchmark) -> list[str]:
    # A column that nobody has a figure for would only be noise.
    columns = [
        column
        for column in columns_of(benchmark.lines)
        if column.head is not None and any(column.value(line) is not None for line in benchmark.lines)
    ]
    rows = [[column.text(line) for column in columns] for line in benchmark.lines]
    return _as_table([str(column.head) for column in columns], rows)


def _ratios_table(ratios: Sequence[SettingRatios]) -> list[str]:
    head = ["setting", "times less work", "times faster in torch eager fp32", "times faster at best", "by"]
    rows = [
        [r.setting, _ratio(r.less_work), _ratio(r.same_engine), _ratio(r.fastest), r.fastest_engine or "–"]
        for r in ratios
    ]
    return _as_table(head, rows)


def _as_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _subject(subject: Subject) -> list[str]:
    width, height = subject.frame_px
    weights = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in subject.weights_bytes.items())
    return [
        f"Bundle {subject.bundle} (sha256 {subject.sha256[:12]}…), weights that all settings share: {weights}.",
        f"Timed on {subject.frames} frames of {width}×{height} px at the working scale, made of pictures of "
        f"{subject.data[0]}.",
        f"Judged on {subject.pictures} pictures: {', '.join(subject.data)}, split {subject.split}.",
    ]


def _steady(benchmark: Benchmark) -> str:
    load = benchmark.steadiness
    return (
        f"A fixed load, {load.times} times between the runs: {load.median_ms:.0f} ms, p10 to p90 "
        f"{load.p10_ms:.0f} to {load.p90_ms:.0f} ms."
    )
