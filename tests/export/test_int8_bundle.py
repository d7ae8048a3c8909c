"""`--precision int8`: which parts get 8 bits, what the gate refuses, what a bundle holds, and that engines run it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from typer.testing import CliRunner

from hemonode.cli import build_app
from hemonode.errors import DatasetError, ExportError, HemonodeError
from hemonode.export.bundle import Order, export_bundle
from hemonode.export.findings import Finding, Limits, shortfall
from hemonode.export.int8.parts import Part
from hemonode.export.int8.trial import BeyondInt8, search_int8
from hemonode.export.settings import parse_settings
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.engines import cpu, openvino
from hemonode.runtime.engines.contract import Opening

# The network of these tests is random: its masks are noise that hangs by a thread, unlike a trained one's.
LOOSE = Limits(agreement_adaptive_onnx=0.5, count_difference=1000, agreement_unrolled_onnx={"fp32": 0.99, "int8": 0.9})


def _order(model, calibration, *precisions, limits=LOOSE) -> Order:
    settings = parse_settings(["euler:1"], model)
    return Order("small", settings, settings[0].name, precisions, limits, calibration)


@pytest.fixture(scope="module")
def frames(make_frame):
    return [make_frame(160, 320, seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def calibration(make_frame):
    return [make_frame(160, 320, seed=7)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, fill_folder):
    return fill_folder(tmp_path_factory.mktemp("small"))


def _export(folder, *options, data="noise.toml"):
    data = ["--data", folder / data, "--root", folder / "pictures", "--images", "2"]
    loose = ["--least-agreement", "0.5", "--count-difference", "1000", "--solver", "euler:1", "--precision", "int8"]
    arguments = ["export", folder / "best.ckpt", "-o", folder / "small.hemo", *data, *loose, *options]
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    if isinstance(result.exception, HemonodeError):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def said(folder):
    result = _export(folder, "--int8-agreement", "0.8", "--calibration-images", "2")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def exported(folder, said):
    return folder / "small.hemo"


# Which parts


class _Tried:
    """Stands in for `Trial`: parts that change known shares of the mask, which add up, and a limit on each engine."""

    def __init__(self, model, changes, limit, elsewhere=1.0) -> None:
        self.model, self.setting = model, parse_settings(["euler:1"], model)[0]
        self._changes, self._limit, self._elsewhere = changes, limit, elsewhere

    def changed(self, parts):
        return sum(self._changes[part.path] for part in parts)

    def fault_of(self, parts, *, everywhere):
        most = min(self._limit, self._elsewhere) if everywhere else self._limit
        return None if self.changed(parts) <= most else f"on a {self.changed(parts):.3f} of the mask differs"

    def ranges_of(self, parts):
        return dict.fromkeys(conv for part in parts for conv in part.convs)


PARTS = [Part("encoder.0", ("a",), 0.1), Part("bottom", ("b",), 0.4), Part("decoder.0.1", ("c", "d"), 0.3)]
CHANGES = {"encoder.0": 0.005, "bottom": 0.001, "decoder.0.1": 0.003}


def test_parts_that_save_most_work_for_what_they_change_get_8_bits(model):
    found = search_int8(_Tried(model, CHANGES, 0.004), PARTS)
    assert found.ranges.keys() == {"b", "c", "d"}
    assert found.share == pytest.approx(0.7)
    assert {"encoder.0", "mask_head", "heat_head"} <= set(found.kept_fp32)
    assert not {"bottom", "decoder.0.1"} & set(found.kept_fp32)


def test_a_part_that_one_engine_cannot_take_is_given_back(model):
    assert search_int8(_Tried(model, CHANGES, 1), PARTS).share == pytest.approx(0.8)
    assert search_int8(_Tried(model, CHANGES, 1, elsewhere=0.004), PARTS).share == pytest.approx(0.7)


def test_a_setting_with_little_in_8_bits_is_refused_with_what_is_in_the_way(model):
    with pytest.raises(BeyondInt8, match=r"eulerx1 is not worth .* with 40% of its work in 8 bits: on a 0\.004 of"):
        search_int8(_Tried(model, CHANGES, 0.001), PARTS)


def test_the_gate_looks_at_masks_and_counts():
    good = Finding("a", agreement_unrolled=0.9995, agreement_rounded=None, agreement_adaptive=0.995, count_difference=2)
    assert shortfall("int8", good, Limits()) is None
    for worse, words in (
        ({"agreement_unrolled": 0.998}, "on a 99.8000% of the mask agrees, below 99.90%"),
        ({"agreement_adaptive": 0.98}, "adaptive solver, below 99.00%"),
        ({"count_difference": 3}, "counts 3 cells otherwise"),
    ):
        assert words in shortfall("int8", dataclasses.replace(good, **worse), Limits())


# What a bundle holds


def test_a_bundle_records_what_8_bits_do(exported):
    setting = open_bundle(exported).setting()
    assert setting.graphs["int8"] == "solvers/eulerx1.int8.onnx"
    proof = setting.verification["int8"]
    assert 0.5 < proof.int8_share < 1
    assert proof.calibration_images == 2
    assert {"mask_head", "heat_head"} <= set(proof.kept_fp32)
    assert [name.split()[0] for name in proof.agreement_by_engine] == ["ONNX", "OpenVINO"]
    assert proof.mask_agreement_unrolled_onnx == min(proof.agreement_by_engine.values()) >= 0.8
    assert all(1e-4 < error < 0.5 for error in proof.rounding_errors.values())
    assert setting.verification["fp32"].int8_share is None
    card = (exported / "card.md").read_text()
    assert "eulerx1 in int8 does " in card
    assert "2 pictures of the training split" in card


def test_int8_weights_are_a_quarter_of_fp32s(exported):
    small, wide = ((exported / "solvers" / f"weights.{precision}.bin").stat().st_size for precision in ("int8", "fp32"))
    kept = 1 - open_bundle(exported).setting().verification["int8"].int8_share
    assert small < (0.3 + kept) * wide


@pytest.mark.parametrize("engine", [cpu, openvino])
def test_a_bundles_int8_graph_runs_on_both_engines(exported, frames, engine):
    bundle = open_bundle(exported)
    height, width = frames[0].pixels.shape[:2]
    answers = {}
    for precision in ("int8", "fp32"):
        with engine.open_engine(Opening(bundle, (1, height, width), "eulerx1", precision, threads=1)) as opened:
            assert opened.precision == precision
            answers[precision] = opened.run(frames[0].pixels[None])
    share = np.mean(answers["int8"].class_ids == answers["fp32"].class_ids)
    assert 0.8 < share < 1


def test_a_setting_that_the_gate_refuses_is_left_out_and_the_reason_is_told(
    tmp_path, model, checkpoint, frames, calibration
):
    strict = dataclasses.replace(LOOSE, agreement_unrolled_onnx={"fp32": 0.99, "int8": 1.01})
    warned = []
    order = _order(model, calibration, "fp32", "int8", limits=strict)
    export_bundle(checkpoint, model, order, frames, tmp_path / "small.hemo", warn=warned.append)
    (sentence,) = warned
    assert "not written in int8: setting eulerx1 is not worth writing in int8, with 0% of its work" in sentence
    assert "below 101.00%" in sentence
    assert {path.name for path in (tmp_path / "small.hemo" / "solvers").iterdir()} == {
        "eulerx1.fp32.onnx",
        "weights.fp32.bin",
    }
    assert open_bundle(tmp_path / "small.hemo").setting().graphs.keys() == {"fp32"}


def test_int8_without_the_fp32_that_machines_check_it_against_is_refused(
    tmp_path, model, checkpoint, frames, calibration
):
    with pytest.raises(ExportError, match="ask for fp32, too"):
        export_bundle(checkpoint, model, _order(model, calibration, "int8"), frames, tmp_path / "small.hemo")


# As a user types it


def test_asking_for_int8_brings_fp32_along(exported, said):
    assert "% of the work in 8 bits; in FP32: " in said
    assert open_bundle(exported).setting().graphs.keys() == {"fp32", "int8"}


def test_pictures_to_calibrate_on_come_from_the_training_split_or_not_at_all(folder):
    (folder / "held.toml").write_text(
        (folder / "noise.toml").read_text() + '[split]\n[[split.carve]]\nto = "val"\nlast = 3\n'
    )
    with pytest.raises(DatasetError, match="no split 'train'"):
        _export(folder, data="held.toml")


@pytest.mark.parametrize(
    "options", [["--int8-agreement", "1.5"], ["--calibration-images", "0"], ["--precision", "int4"]]
)
def test_wrong_arguments_are_bad_usage(folder, options):
    assert _export(folder, *options).exit_code == 2
