"""Torch's peers: they answer as the bundle's graphs would, and count what they do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hemonode.benchmarks.bench.contestant import ADAPTIVE, BASELINE, EAGER, Contestant, Ground
from hemonode.benchmarks.bench.jobs import Working
from hemonode.benchmarks.bench.torch_network import Answering, heads_of
from hemonode.benchmarks.bench.torch_peers import count_work, open_peer
from hemonode.errors import CheckpointError, EngineError
from hemonode.export.manifest import draft_manifest
from hemonode.export.settings import integrating, parse_settings
from hemonode.runtime.bundle.reader import Bundle
from hemonode.train.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("torch_threads")

SHAPE = (1, 128, 160)


@pytest.fixture
def ground(tmp_path):
    return Ground(bundle=None, checkpoint=None, baseline=None, threads=1, scratch=tmp_path)


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (2, *SHAPE[1:], 3), np.uint8)


def bundle_of(path: Path, *solvers: str) -> Bundle:
    """What an export of the checkpoint would say of itself; torch needs no graphs."""
    checkpoint = load_checkpoint(path)
    settings = parse_settings(solvers, checkpoint.build_model())
    return Bundle(Path(), draft_manifest("b", checkpoint, heads_of(checkpoint), settings, settings[0].name, ()), "")


def test_the_unrolled_peer_agrees_with_the_adaptive_one(save, ground, frames):
    path = save("fourth", {4: 1e-3, 5: 1e-3})
    bundle, ground = bundle_of(path, "rk4:2"), ground.model_copy(update={"checkpoint": path})
    masks = []
    for contestant in (Contestant(engine=ADAPTIVE, setting=None), Contestant(engine=EAGER, setting="rk4x2")):
        with open_peer(contestant, ground, bundle, SHAPE) as engine:
            prediction = engine.run(frames[:1])
        masks.append(prediction.class_ids)
        assert prediction.peaks.shape == (1, 1024, 4)
    assert masks[0].shape == (1, 256, 320)
    assert np.mean(masks[0] == masks[1]) > 0.99


def test_a_network_on_another_device_needs_nothing_of_the_cpu(save):
    """Torch's "meta" device computes no values, but refuses to mix with the CPU as a GPU does."""
    checkpoint = load_checkpoint(save("fourth", {4: 1e-3, 5: 1e-3}))
    model = checkpoint.build_model()
    (setting,) = parse_settings(["rk4:2"], model)
    network = Answering(model, heads_of(checkpoint)).eval().to("meta")
    with torch.no_grad(), integrating(model, setting.solvers):
        class_ids, peaks = network(torch.empty((1, 128, 160, 3), dtype=torch.uint8, device="meta"))
    assert (class_ids.device.type, tuple(class_ids.shape)) == ("meta", (1, 256, 320))
    assert (peaks.device.type, tuple(peaks.shape)) == ("meta", (1, 1024, 4))


def test_work_is_the_plain_networks_and_that_of_every_evaluation(save, ground, frames, tmp_path):
    np.save(tmp_path / "frames.npy", frames)

    def work(path):
        own = ground.model_copy(update={"baseline": path})
        contestant = Contestant(engine=BASELINE, setting=None)
        return count_work(Working(ground=own, contestant=contestant, frames=tmp_path / "frames.npy"))

    plain, fifth = work(save("plain", {})), work(save("fifth", {5: 1e-3}))
    assert plain.evaluations == {}
    one_evaluation = 2 * 9 * 64 * 64 * (128 // 16) * (160 // 16)
    assert fifth.evaluations[5] >= 7
    assert fifth.multiply_adds - plain.multiply_adds == fifth.evaluations[5] * one_evaluation


def test_a_checkpoint_that_the_bundle_does_not_come_from_is_refused(save, ground):
    bundle = bundle_of(save("own", {5: 1e-3}), "rk4:1")
    ground = ground.model_copy(update={"checkpoint": save("other", {5: 1e-3})})
    with pytest.raises(CheckpointError, match="compare with --baseline"):
        open_peer(Contestant(engine=ADAPTIVE, setting=None), ground, bundle, SHAPE)


def test_a_peer_without_a_checkpoint_says_which_option_is_missing(save, ground):
    bundle = bundle_of(save("own", {5: 1e-3}), "rk4:1")
    with pytest.raises(EngineError, match="give --checkpoint"):
        open_peer(Contestant(engine=ADAPTIVE, setting=None), ground, bundle, SHAPE)
