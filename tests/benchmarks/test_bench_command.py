"""`hemonode bench` from end to end on a tiny bundle, where torch is not installed."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace

import cv2
import pytest
from typer.testing import CliRunner

from hemonode.benchmarks.bench import run as bench_run
from hemonode.benchmarks.bench.contestant import Contestant
from hemonode.benchmarks.bench.entrants import without_graph
from hemonode.benchmarks.bench.rounds import Race
from hemonode.cli import build_app
from hemonode.errors import CheckpointError, DatasetError, EngineError, InterruptedByUser


@pytest.fixture
def without_torch(tmp_path, monkeypatch):
    """Children find a torch that cannot be imported; this process, which may have loaded it, is told so."""
    stub = tmp_path / "stub" / "torch"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    monkeypatch.setenv("PYTHONPATH", str(stub.parent))
    monkeypatch.setitem(sys.modules, "torch", None)


@pytest.fixture
def bench(colour_bundle, labelled, tmp_path):
    """Run the command on the colour bundle; the output folder is `tmp_path / "out"`."""
    given = ["bench", str(colour_bundle.folder), "--data", str(labelled), "--engine", "cpu", "--precision", "fp32"]

    def run(*options: str):
        return CliRunner().invoke(
            build_app(),
            [*given, "--runs", "2", "--batch", "1", "--threads", "1", "-o", str(tmp_path / "out"), *options],
        )

    return run


def test_every_setting_has_its_line_in_every_file(bench, tmp_path, without_torch):
    done = bench()
    assert done.exit_code == 0, done.output
    assert "for research use" in done.output
    found = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert [line["contestant"]["setting"] for line in found["lines"]] == ["euler-1", "rk4-1"]
    assert found["finished"] is True
    assert found["subject"]["frame_px"] == [192, 192]
    assert found["circumstances"]["threads"] == 1
    for line in found["lines"]:
        assert line["latency"]["runs"] == 2
        assert line["quality"]["miou"] > 0.9
        assert line["quality"]["count_accuracy"] == 1
    rows = list(csv.DictReader((tmp_path / "out" / "bench.csv").open(encoding="utf-8")))
    assert [row["setting"] for row in rows] == ["euler-1", "rk4-1"]
    assert float(rows[0]["p50_ms"]) == found["lines"][0]["latency"]["p50_ms"]
    report = (tmp_path / "out" / "bench.md").read_text()
    assert "| cpu | fp32 | rk4-1 |" in report
    assert "CLOCK" in report or "Counter" in report
    picture = cv2.imread(str(tmp_path / "out" / "bench.png"))
    assert picture.shape[0] > 300


def test_a_torch_peer_reads_not_installed_and_the_engines_run(bench, tmp_path, without_torch):
    checkpoint = tmp_path / "best.ckpt"
    checkpoint.touch()
    done = bench("--checkpoint", str(checkpoint), "--setting", "rk4-1", "--json")
    found = json.loads(done.stdout)
    assert found["left_out"]["torch adaptive fp32"].startswith("not installed: torch")
    assert [line["contestant"]["engine"] for line in found["lines"]] == ["cpu"]


def test_a_checkpoint_that_cannot_be_read_ends_the_run_before_the_work(bench, tmp_path):
    done = bench("--checkpoint", str(tmp_path / "none.ckpt"), "--peer", "adaptive")
    assert isinstance(done.exception, CheckpointError)
    assert "none.ckpt" in str(done.exception)


def test_a_precision_that_the_bundle_lacks_is_left_out_and_the_rest_runs(bench):
    found = json.loads(bench("--precision", "int8", "--setting", "rk4-1", "--json").stdout)
    assert found["left_out"] == {"cpu int8, rk4-1": "the bundle has no int8 graph"}
    assert [line["contestant"]["precision"] for line in found["lines"]] == ["fp32"]


def test_only_the_settings_that_lack_a_graph_are_left_out(colour_bundle):
    manifest = colour_bundle.manifest
    first, *others = manifest.settings
    both = first.model_copy(update={"graphs": {**first.graphs, "int8": first.graphs["fp32"]}})
    bundle = replace(colour_bundle, manifest=manifest.model_copy(update={"settings": (both, *others)}))
    asked = [
        Contestant(engine="cpu", setting=setting.name, precision=precision)
        for setting in manifest.settings
        for precision in ("fp32", "bf16", "int8")
    ]
    assert without_graph(asked, bundle) == {
        "cpu int8": [Contestant(engine="cpu", setting=setting.name, precision="int8") for setting in others]
    }


def test_engines_that_miss_the_same_say_it_once(bench, monkeypatch):
    monkeypatch.setattr(bench_run, "probe", lambda *_: ({}, {"cpu fp32": "no driver.", "cuda fp32": "no driver."}))
    assert str(bench().exception) == "nothing that was asked for works here: no driver."


def test_ctrl_c_writes_what_was_finished(bench, tmp_path, monkeypatch, timed):
    def interrupted(races, schedule, ground, frames, times, on_race):
        times.loads_ms.append(50.0)
        times.timed[Race(Contestant(engine="cpu", setting="euler-1"), 1)] = [timed(10.0, 12.0)]
        raise KeyboardInterrupt

    monkeypatch.setattr(bench_run, "run_rounds", interrupted)
    done = bench()
    assert isinstance(done.exception, InterruptedByUser)
    found = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert found["finished"] is False
    assert [line["latency"]["p50_ms"] for line in found["lines"]] == [11.0]
    assert "Stopped before its end" in (tmp_path / "out" / "bench.md").read_text()


def test_what_is_finished_is_kept_while_the_run_goes_on(bench, tmp_path, monkeypatch, timed):
    race, seen = Race(Contestant(engine="cpu", setting="euler-1"), 1), []

    def killed(races, schedule, ground, frames, times, on_race):
        times.loads_ms.append(50.0)
        times.timed[race] = [timed(10.0, 12.0)]
        on_race(race, 1)
        seen.append(json.loads((tmp_path / "out" / "bench.json").read_text()))
        raise EngineError("the connection was lost")

    monkeypatch.setattr(bench_run, "run_rounds", killed)
    bench()
    assert seen[0]["finished"] is False
    assert len(seen[0]["lines"]) == 1


def test_what_does_not_exist_is_one_sentence(bench, labelled, colour_bundle):
    assert str(bench("--setting", "rk9").exception).startswith(f"{colour_bundle.folder} has no solver setting 'rk9'")
    (labelled / "dataset.toml").unlink()
    missing = bench().exception
    assert isinstance(missing, DatasetError)
    assert "has no dataset.toml" in str(missing)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--precision", "fp8"), "choose among fp32"),
        (("--engine", "gpu"), "choose among tensorrt"),
        (("--size", "large"), "WIDTHxHEIGHT"),
        (("--size", "0x64"), "1 to 4096 px"),
        (("--peer", "eager"), "needs --checkpoint"),
    ],
)
def test_bad_usage_says_which_option(bench, options, told):
    done = bench(*options)
    assert done.exit_code == 2
    assert told in done.output
