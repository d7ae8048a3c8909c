"""The benchmark's arithmetic on numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.benchmarks.bench.accuracy import agreement
from hemonode.benchmarks.bench.figures import energy_per_frame, largest_memory, latency
from hemonode.benchmarks.bench.jobs import Judged
from hemonode.benchmarks.bench.pareto import pareto_front
from hemonode.benchmarks.bench.ratios import setting_ratios, with_ratios
from hemonode.benchmarks.bench.steadiness import steadiness


def test_percentiles_are_of_all_rounds_together(timed):
    figures = latency([timed(*range(1, 52)), timed(*range(52, 102))])
    assert (figures.runs, figures.p50_ms, figures.p90_ms, figures.p99_ms) == (101, 51, 91, 100)
    assert (figures.largest_ms, figures.processor_ms) == (101, 51)


def test_a_99th_percentile_of_few_runs_is_not_given(timed):
    figures = latency([timed(10, 11), timed(12, 90)])
    assert figures.p99_ms is None
    assert figures.largest_ms == 90


def test_rounds_that_differ_are_told(timed):
    assert latency([timed(10, 10), timed(11, 11), timed(12, 12)]).between_rounds == pytest.approx(2 / 11)
    assert latency([timed(10, 20)]).between_rounds is None


def test_energy_is_per_frame_of_a_batch(timed):
    rounds = [timed(1, 1, energy_j={"package": 16.0}), timed(1, 1, energy_j={"package": 24.0})]
    assert energy_per_frame(rounds, batch=4) == {"package": pytest.approx((16 + 24) / 2 / 8)}
    assert energy_per_frame([timed(1, 1)], batch=4) == {}


def test_memory_that_a_system_does_not_tell_is_not_invented():
    assert largest_memory([200.0, 300.0, None]) == 300
    assert largest_memory([None]) is None


def test_frames_per_second_count_every_frame_of_a_batch(line):
    assert line("cpu", "rk4x1", 50.0, batch=4).frames_per_s == pytest.approx(80)


def test_ratios_are_against_the_baseline_where_there_is_one(line):
    lines = with_ratios(
        [
            line("baseline adaptive", None, 900.0, multiply_adds=9e9),
            line("torch adaptive", None, 600.0, multiply_adds=6e9),
            line("torch eager", "rk4x1", 150.0, multiply_adds=3e9),
            line("openvino", "rk4x1", 30.0, multiply_adds=3e9),
            line("openvino", "rk4x1", 60.0, batch=4, multiply_adds=3e9),
        ]
    )
    assert [entry.times_faster for entry in lines] == [1, 1.5, 6, 30, None]
    assert [entry.times_less_work for entry in lines] == [1, 1.5, 3, 3, 3]
    (ratios,) = setting_ratios(lines)
    assert (ratios.setting, ratios.less_work, ratios.same_engine, ratios.fastest) == ("rk4x1", 3, 6, 30)
    assert ratios.fastest_engine == "openvino fp32"


def test_without_torch_there_are_no_ratios(line):
    lines = with_ratios([line("cpu", "rk4x1", 10.0)])
    assert (lines[0].times_faster, lines[0].times_less_work) == (None, None)
    assert setting_ratios(lines) == []


def test_the_front_holds_what_no_other_beats_in_both():
    costs = [5.0, 1.0, 3.0, 4.0, 2.0]
    merits = [0.9, 0.5, 0.8, 0.7, 0.5]
    assert pareto_front(costs, merits) == [1, 2, 0]
    assert pareto_front([1.0, 1.0, 1.0], [0.3, 0.6, 0.6]) == [1]
    assert pareto_front([], []) == []


def test_a_steady_machine_is_trusted_and_a_noisy_one_warned_of():
    assert steadiness([50.0, 51, 50, 49, 50]).warning is None
    assert "too noisy to trust" in (steadiness([50.0, 80, 50, 49, 90]).warning or "")


@pytest.fixture
def judged(tmp_path):
    def make(name, masks, counts):
        path = tmp_path / f"{name}.npz"
        np.savez(path, *masks)
        names = tuple(f"picture {index}" for index in range(len(masks)))
        return Judged(evaluations=(), names=names, counts=counts, masks=path)

    return make


def test_agreement_weighs_pictures_by_their_pixels_and_names_the_worst(judged):
    small, large = np.zeros((10, 10), np.uint8), np.zeros((20, 20), np.uint8)
    changed = small.copy()
    changed[0, :5] = 2
    original = judged("original", [small, large], ({1: 2, 2: 8}, {1: 0, 2: 10}))
    own = judged("own", [changed, large], ({1: 1, 2: 8}, {1: 0, 2: 12}))
    found = agreement(own, original)
    assert found.mask == pytest.approx(1 - 5 / 500)
    assert (found.worst_mask, found.worst_picture) == (pytest.approx(0.95), "picture 0")
    assert found.changed_counts == pytest.approx(3 / 20)


def test_contestants_that_saw_different_pictures_are_not_compared(judged):
    mask = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="different pictures"):
        agreement(judged("own", [mask], ({},)), judged("original", [mask, mask], ({}, {})))
