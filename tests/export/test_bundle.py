"""A bundle holds verified settings that share their weights, opens on a device, and is written whole or not at all."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import torch

from hemonode.errors import ExportError, OutputError, SolverError
from hemonode.export.block_proof import block_errors
from hemonode.export.bundle import Order, export_bundle, rounds
from hemonode.export.findings import Finding, Limits, judge
from hemonode.export.graph.writer import Heads
from hemonode.export.reference import adaptive_answer
from hemonode.export.settings import parse_settings
from hemonode.runtime.bundle.reader import open_bundle

HEADS = Heads(countable_ids=(1, 2, 3))

# The network of these tests is random: its masks are noise that hangs by a thread, unlike a trained one's.
LOOSE = Limits(agreement_adaptive_onnx=0.5, count_difference=1000, agreement_unrolled_onnx={"fp32": 0.99, "fp16": 0.9})


def _order(model, *solvers, precisions=("fp32",), limits=LOOSE, **fields) -> Order:
    settings = parse_settings(solvers, model)
    return Order("small", settings, settings[0].name, precisions, limits, **fields)


@pytest.fixture(scope="module")
def frames(make_frame):
    return [make_frame(160, 320, seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory, model, checkpoint, frames):
    """One setting, and the same with another beside it."""
    folder = tmp_path_factory.mktemp("bundles")
    export_bundle(checkpoint, model, _order(model, "rk4:1"), frames, folder / "one.hemo")
    order = _order(model, "rk4:1", "rk4:2", precisions=("fp32", "fp16"), accuracy="Dice 0.9 on drawings.")
    export_bundle(checkpoint, model, order, frames, folder / "two.hemo")
    return folder


def test_a_bundle_opens_on_a_device_and_says_what_it_is(exported):
    bundle = open_bundle(exported / "two.hemo")
    manifest = bundle.manifest
    assert [setting.name for setting in manifest.settings] == ["rk4x1", "rk4x2"]
    assert bundle.setting().name == "rk4x1"
    assert bundle.graph_path("rk4x2", "fp16").is_file()
    assert [kind.peak_threshold for kind in manifest.classes] == [None, 0.5, 0.4, 0.3]
    assert manifest.input.reach_px % manifest.input.stride == 0
    assert manifest.provenance.epochs == 5
    first, second = manifest.settings
    assert [block.position for block in first.blocks] == [4, 6]
    assert all(block.evaluations == 8 and block.grid == (0.0, 0.5, 1.0) for block in second.blocks)
    assert all(0 < fine.error < coarse.error for coarse, fine in zip(first.blocks, second.blocks, strict=True))


def test_every_setting_and_precision_carries_its_proof(exported, frames):
    for setting in open_bundle(exported / "two.hemo").manifest.settings:
        assert setting.graphs.keys() == setting.verification.keys() == {"fp32", "fp16"}
        for precision, proof in setting.verification.items():
            assert proof.images == len(frames)
            assert proof.mask_agreement_unrolled_onnx > 0.99
            assert proof.mask_agreement_adaptive_onnx > 0.99
            assert proof.mask_agreement_adaptive_unrolled > 0.99
            assert proof.worst_image in ("noise1", "noise2")
            assert 1 < proof.largest_magnitude < 6e4
            half = precision == "fp16"
            assert (proof.mask_agreement_strict_fp16 is not None) == half
            assert (max(proof.magnitudes.values(), default=None) == proof.largest_magnitude) == half
            assert proof.rounding_errors.keys() == ({4, 6} if half else set())
            assert (proof.casts > 20) == half
            assert proof.kept_fp32 == ()


def test_the_work_of_a_setting_is_its_convolutions(exported, model):
    one, two = open_bundle(exported / "two.hemo").manifest.settings
    # In both blocks, at an eighth of the input's side: 4 more evaluations of two 3×3 convolutions of 48 channels.
    assert two.multiply_adds_per_px - one.multiply_adds_per_px == 2 * 4 * 2 * 9 * 48 * 48 / 64


def test_a_second_setting_costs_hardly_more_than_the_first(exported):
    def size(name):
        return sum(path.stat().st_size for path in (exported / name / "solvers").glob("*fp32*"))

    assert size("two.hemo") < 1.1 * size("one.hemo")


def test_the_card_says_data_licences_accuracy_limits_and_research_use(exported):
    card = (exported / "two.hemo" / "card.md").read_text()
    for words in ("smears (MIT)", "drawings (CC0)", "Dice 0.9 on drawings.", "For research use", "## Limits", "rk4x2"):
        assert words in card
    assert "None was given" in (exported / "one.hemo" / "card.md").read_text()


def test_asking_for_fp16_alone_leaves_no_fp32_behind(tmp_path, model, checkpoint, frames):
    advanced = []
    order = _order(model, "euler:1", precisions=("fp16",))
    export_bundle(checkpoint, model, order, frames, tmp_path / "half.hemo", lambda: advanced.append(1))
    names = {path.name for path in (tmp_path / "half.hemo" / "solvers").iterdir()}
    assert names == {"eulerx1.fp16.onnx", "weights.fp16.bin"}
    assert open_bundle(tmp_path / "half.hemo").setting().graphs.keys() == {"fp16"}
    assert len(advanced) == rounds(order, len(frames))


GOOD = Finding("a", agreement_unrolled=1.0, agreement_rounded=1.0, agreement_adaptive=0.999, count_difference=0)


@pytest.mark.parametrize(
    ("worse", "sentence"),
    [
        ({"agreement_unrolled": 0.98}, "differs from torch: on b 98.0000% of the mask agrees, below 99.90%"),
        ({"agreement_adaptive": 0.98}, "is too coarse: on b 98.0000% of the mask agrees .* below 99.00%"),
        ({"agreement_adaptive": float("nan")}, "is too coarse: on b nan%"),
        ({"count_difference": 3}, "is too coarse: on b it counts 3 cells otherwise than .* more than 2"),
    ],
)
def test_a_failed_limit_names_the_picture_and_the_figure(worse, sentence):
    assert judge("setting x", "fp32", [GOOD], Limits()).mask_agreement_adaptive_onnx == 0.999
    with pytest.raises(ExportError, match=sentence):
        judge("setting x", "fp32", [dataclasses.replace(GOOD, image="b", **worse), GOOD], Limits())


def test_a_setting_that_is_too_coarse_is_not_written(tmp_path, model, checkpoint, frames):
    strict = dataclasses.replace(LOOSE, agreement_adaptive_onnx=0.9999)
    with pytest.raises(ExportError, match=r"eulerx1 in fp32 is too coarse: on noise\d \d+\.\d+% of the mask"):
        export_bundle(checkpoint, model, _order(model, "euler:1", limits=strict), frames, tmp_path / "coarse.hemo")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_replaced_only_by_a_whole_one(tmp_path, exported, model, checkpoint, frames):
    out = tmp_path / "kept.hemo"
    shutil.copytree(exported / "one.hemo", out)
    before = open_bundle(out).sha256
    failing = dataclasses.replace(LOOSE, agreement_adaptive_onnx=1.01)
    with pytest.raises(ExportError):
        export_bundle(checkpoint, model, _order(model, "euler:1", limits=failing), frames, out)
    assert open_bundle(out).sha256 == before
    export_bundle(checkpoint, model, _order(model, "euler:1"), frames, out)
    assert open_bundle(out).setting().name == "eulerx1"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("kind", ["folder", "file", "link", "no parent"])
def test_whatever_is_not_a_bundle_is_never_overwritten(tmp_path, model, checkpoint, frames, kind):
    out = tmp_path / "mine"
    if kind == "folder":
        out.mkdir()
        (out / "thesis.txt").write_text("years of work")
    elif kind == "file":
        out.write_text("years of work")
    elif kind == "link":
        out.symlink_to(tmp_path / "elsewhere")
    else:
        out = tmp_path / "missing" / "mine"
    with pytest.raises(OutputError, match=r"is not a bundle|no folder"):
        export_bundle(checkpoint, model, _order(model, "euler:1"), frames, out)
    if kind == "folder":
        assert (out / "thesis.txt").read_text() == "years of work"


def test_a_state_that_is_not_finite_names_block_and_picture(tmp_path, make_model, checkpoint, frames):
    broken = make_model()
    with torch.no_grad():
        for conv in broken.decoder[0][1].dynamics.convs:
            conv.weight *= 1e25
    with pytest.raises(SolverError, match="ODE block 6 on noise1: dopri5 cannot keep a tolerance"):
        export_bundle(checkpoint, broken, _order(broken, "euler:1"), frames, tmp_path / "no.hemo")
    # Euler's method can diverge where dopri5 does not.
    stiff = make_model()
    answers = [adaptive_answer(stiff, frame, HEADS) for frame in frames[:1]]
    with torch.no_grad():
        stiff.encoder[3][1].dynamics.convs[0].bias[0] = torch.inf
    (setting,) = parse_settings(["euler:1"], stiff)
    with pytest.raises(ExportError, match="eulerx1: on noise1 the state of ODE block 4 is not finite"):
        block_errors(stiff, setting, answers)


def test_a_checkpoint_without_thresholds_cannot_count_and_is_refused(tmp_path, model, checkpoint, frames):
    unfinished = dataclasses.replace(checkpoint, peak_thresholds={1: 0.5})
    with pytest.raises(ExportError, match="no peak threshold for class 2"):
        export_bundle(unfinished, model, _order(model, "euler:1"), frames, tmp_path / "no.hemo")


def test_the_same_checkpoint_gives_the_same_graphs(tmp_path, exported, model, checkpoint, frames):
    export_bundle(checkpoint, model, _order(model, "rk4:1"), frames, tmp_path / "again.hemo")
    for name in ("rk4x1.fp32.onnx", "weights.fp32.bin"):
        first, again = (folder / "solvers" / name for folder in (exported / "one.hemo", tmp_path / "again.hemo"))
        assert np.array_equal(np.fromfile(first, np.uint8), np.fromfile(again, np.uint8))


def test_a_rung_too_tight_for_fp16_is_written_in_fp32_and_said_so(tmp_path, model, checkpoint, frames):
    coarse, tight = parse_settings(["rk4:1", "rk4:8"], model)
    ladder = (coarse, dataclasses.replace(tight, tolerance=5e-6))
    loose = dataclasses.replace(LOOSE, agreement_adaptive_onnx=0.1)
    said: list[str] = []
    order = Order("small", ladder, coarse.name, ("fp32", "fp16"), loose)
    export_bundle(checkpoint, model, order, frames, tmp_path / "mixed.hemo", warn=said.append)
    first, second = open_bundle(tmp_path / "mixed.hemo").manifest.settings
    assert first.graphs.keys() == first.verification.keys() == {"fp32", "fp16"}
    assert second.graphs.keys() == second.verification.keys() == {"fp32"}
    assert len(said) == 1
    assert "rk4x8: a tolerance of 5e-06 is tighter than FP16 can hold" in said[0]
    with pytest.raises(ExportError, match="tighter than FP16 can hold"):
        export_bundle(
            checkpoint, model, dataclasses.replace(order, precisions=("fp16",)), frames, tmp_path / "none.hemo"
        )
    assert not (tmp_path / "none.hemo").exists()
