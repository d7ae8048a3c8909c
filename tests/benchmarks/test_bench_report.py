"""What a reader sees: the table, its warnings and the picture, from figures made by hand."""

from __future__ import annotations

import cv2
import pytest

from hemonode.benchmarks.bench.circumstances import Circumstances
from hemonode.benchmarks.bench.outputs import write_outputs
from hemonode.benchmarks.bench.ratios import setting_ratios, with_ratios
from hemonode.benchmarks.bench.report import markdown
from hemonode.benchmarks.bench.result import Benchmark, Subject
from hemonode.benchmarks.bench.steadiness import steadiness

CIRCUMSTANCES = Circumstances(
    processor="a processor",
    cores=4,
    threads=2,
    frequency_mhz=2100.0,
    power_mode="nvpmodel 15W",
    clock="a clock",
    load=0.1,
    system="a system",
    python="3.11",
    libraries={"torch": "not installed"},
    energy_meters=(),
)
SUBJECT = Subject(
    bundle="colours",
    sha256="0" * 64,
    data=("drawn",),
    split="val",
    pictures=2,
    frame_px=(256, 192),
    frames=2,
    weights_bytes={"weights.fp32.bin": 1_500_000},
    baseline="old.ckpt",
)


@pytest.fixture
def benchmark_of():
    def make(lines, circumstances=CIRCUMSTANCES, loads_ms=(50.0, 51.0), finished=True):
        lines = with_ratios(lines)
        return Benchmark(
            hemonode_version="0",
            finished=finished,
            subject=SUBJECT,
            circumstances=circumstances,
            engines={},
            lines=tuple(lines),
            ratios=tuple(setting_ratios(lines)),
            judgements=(),
            left_out={"cpu bf16": "no bf16 here"},
            steadiness=steadiness(loads_ms),
        )

    return make


@pytest.fixture
def lines(line):
    same = {"worst_mask": 0.998, "worst_picture": "a", "changed_counts": 0.01}
    return [
        line("baseline adaptive", None, 900.0, multiply_adds=9e9, miou=0.9),
        line("torch adaptive", None, 600.0, multiply_adds=6e9, miou=0.9, agreement={"mask": 1.0, **same}),
        line("openvino", "rk4x1", 30.0, multiply_adds=3e9, miou=0.89, agreement={"mask": 0.9993, **same}),
    ]


def test_the_table_holds_figures_and_leaves_out_columns_that_nobody_has(benchmark_of, lines):
    report = markdown(benchmark_of(lines), picture=True)
    assert "| openvino | fp32 | rk4x1 | 1 | 12 | 3.00 | 30.0 |" in report
    assert "99.930%" in report
    assert "p99 ms |" not in report
    assert "Against baseline adaptive (old.ckpt)" in report
    assert "| rk4x1 | 3.00 | – | 30.00 | openvino fp32 |" in report
    assert "- cpu bf16: no bf16 here" in report
    assert "nvpmodel 15W" in report


def test_a_quiet_machine_gives_no_warning(benchmark_of, lines):
    assert benchmark_of(lines).warnings == []


def test_noise_is_told_wherever_it_shows(benchmark_of, line):
    lines = [line("cpu", "rk4x1", 30.0, between_rounds=0.4), line("cpu", "rk4x2", 60.0)]
    busy = CIRCUMSTANCES.model_copy(update={"load": 3.0})
    told = benchmark_of(lines, busy, loads_ms=(50.0, 90.0), finished=False).warnings
    assert "3.0 of 4 cores busy" in told[0]
    assert "too noisy to trust" in told[1]
    assert "Stopped before its end" in told[2]
    assert "1 of 2 lines, at worst by 40% (cpu fp32, rk4x1, batch 1)" in told[3]


def test_the_picture_shows_latency_against_every_accuracy(benchmark_of, lines, tmp_path):
    assert write_outputs(benchmark_of(lines), tmp_path) is None
    wide = cv2.imread(str(tmp_path / "bench.png")).shape
    without = [one.model_copy(update={"quality": one.quality.model_copy(update={"agreement": None})}) for one in lines]
    assert write_outputs(benchmark_of(without), tmp_path) is None
    assert cv2.imread(str(tmp_path / "bench.png")).shape[1] < wide[1]


def test_without_any_accuracy_there_is_no_old_picture_left(benchmark_of, line, tmp_path):
    (tmp_path / "bench.png").write_bytes(b"old")
    assert "no accuracy was measured" in write_outputs(benchmark_of([line("cpu", "rk4x1", 30.0)]), tmp_path)
    assert not (tmp_path / "bench.png").exists()
    assert "bench.png" not in (tmp_path / "bench.md").read_text()
