"""What is timed: real pictures at the working scale, from whichever way a data set was named."""

from __future__ import annotations

import numpy as np
import pytest

from hemonode.benchmarks.bench.data import locate
from hemonode.benchmarks.bench.frames import make_frames
from hemonode.benchmarks.bench.timing import batch_of
from hemonode.errors import DatasetError
from hemonode.train.data.dataset import load_dataset
from hemonode.train.data.spread import spread
from hemonode.train.metrics.run import open_datasets


def test_frames_have_the_pictures_own_size_where_none_is_asked_for(labelled, colour_bundle):
    frames = make_frames(load_dataset(labelled / "dataset.toml"), "val", colour_bundle.manifest, None)
    assert (frames.shape, frames.dtype) == ((2, 192, 192, 3), np.uint8)


def test_larger_frames_are_filled_with_pictures_and_padded_to_what_the_graph_takes(labelled, colour_bundle):
    frames = make_frames(load_dataset(labelled / "dataset.toml"), "val", colour_bundle.manifest, (300, 200))
    assert frames.shape == (2, 208, 304, 3)
    # The second picture begins where the first ends: both show the same cells.
    first, second = frames[0, 40:60, 40:60].mean(), frames[0, 40:60, 232:252].mean()
    assert abs(first - second) < 15
    assert abs(first - frames[0, 90:110, 100:120].mean()) > 30


def test_batches_go_round_through_all_frames():
    frames = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1)
    assert [batch_of(frames, number, 2).ravel().tolist() for number in range(3)] == [[0, 1], [2, 0], [1, 2]]


def test_fewer_pictures_are_spread_over_all(labelled):
    entries = load_dataset(labelled / "dataset.toml").entries()
    assert [entry.name for entry in spread(entries, 2)] == ["a", "c"]
    assert [entry.name for entry in spread(entries, 9)] == ["a", "b", "c"]


def test_a_data_set_is_named_by_folder_description_or_name(labelled, tmp_path, monkeypatch):
    by_folder = locate([str(labelled)], [])
    monkeypatch.chdir(labelled)
    by_file = locate(["dataset.toml"], [])
    assert by_folder == by_file
    assert open_datasets(by_folder.data, by_folder.roots)[0].name == "drawn"
    # A folder that is called as a shipped description is described by that one.
    (tmp_path / "bccd").mkdir()
    found = locate([str(tmp_path / "bccd")], [])
    assert found.data[0].endswith("datasets/bccd.toml")
    assert found.roots == (tmp_path / "bccd",)
    with pytest.raises(DatasetError, match="name a description with --data and this folder with --root"):
        locate([str(tmp_path)], [])
