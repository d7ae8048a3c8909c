"""A leak shows as a slope whose interval excludes zero; noise alone does not."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.benchmarks import soak, trend
from hemonode.benchmarks.trend import find_trend


def test_a_leak_is_found_in_noise_and_noise_alone_is_not() -> None:
    chance = np.random.default_rng(1)
    hours = np.linspace(0, 0.5, 1800)
    noise = chance.normal(0, 3, 1800)
    leaking = find_trend(hours, 200 + 12 * hours + noise)
    assert leaking.low < 12 < leaking.high
    assert leaking.low > 8
    assert (leaking.last - leaking.first) == pytest.approx(12 * 0.45, abs=1)
    found = [find_trend(hours, 200 + chance.normal(0, 3, 1800)) for _ in range(40)]
    assert sum(not trend.low < 0 < trend.high for trend in found) <= 6


def test_too_short_a_time_is_refused() -> None:
    with pytest.raises(ValueError, match="40 at least"):
        find_trend([0.0, 1.0], [1.0, 2.0])


def test_the_command_prints_the_trends_of_a_run(colour_bundle, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(soak, "_SAMPLE_S", 0.001)
    monkeypatch.setattr(soak, "_FRAMES", 2)
    monkeypatch.setattr(trend, "_BLOCKS", 4)
    figures = tmp_path / "soak.json"
    asked = ["--bundle", str(colour_bundle.folder), "--engine", "cpu", "--minutes", "0.05", "--json", str(figures)]
    assert soak.main(asked) == 0
    out = capsys.readouterr().out
    assert "cpu (ONNX Runtime" in out
    assert "| resident memory, MiB |" in out
    assert figures.exists()


def test_an_engine_that_is_not_there_is_one_sentence(colour_bundle, capsys) -> None:
    assert soak.main(["--bundle", str(colour_bundle.folder), "--engine", "cpu", "--precision", "bf16"]) == 1
    assert "not in bf16" in capsys.readouterr().err
