"""The pictures of a calibration: drawn by seed, even over the data sets, held-out ones from other groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hemonode.errors import DatasetError
from hemonode.export.frames import Preparation, PreparedFrame
from hemonode.train.data.dataset import Dataset, Entry

TEST_SPLIT = "test"


class Group(NamedTuple):
    """Pictures that never part between choice and confirmation."""

    dataset: str
    name: str


@dataclass(frozen=True)
class Draw:
    """Pictures of some data sets, not yet read.

    Attributes:
        names: of the data sets.
        picked: each with its data set.
    """

    names: tuple[str, ...]
    split: str
    picked: tuple[tuple[Dataset, Entry], ...]

    @property
    def groups(self) -> frozenset[Group]:
        """The groups of the pictures."""
        return frozenset(Group(dataset.name, entry.group) for dataset, entry in self.picked)

    def frames(self, prepare: Preparation) -> list[PreparedFrame]:
        """The pictures as a device prepares them, each named DATASET/NAME.

        Raises:
            PictureError, DatasetError: a picture or its labels cannot be read.
        """
        frames = []
        for dataset, entry in self.picked:
            sample = dataset.read(entry)
            frames.append(prepare(f"{dataset.name}/{entry.name}", sample.pixels, sample.red_cell_px))
        return frames


def draw(datasets: Sequence[Dataset], split: str, count: int, seed: int, without: Collection[Group] = ()) -> Draw:
    """Draw up to `count` pictures of a split, as evenly over the data sets as they have them.

    Args:
        datasets: where from.
        split: of each.
        count: how many in all.
        seed: the same seed draws the same pictures.
        without: groups that must not be drawn from.

    Raises:
        DatasetError: a data set has no such split, or nothing is left of it.
    """
    pools = []
    for dataset in datasets:
        pool = [entry for entry in dataset.entries(split) if Group(dataset.name, entry.group) not in without]
        if not pool:
            raise DatasetError(
                f"every picture of split {split!r} of {dataset.name} is in a group that the choice was made on: "
                "confirm on another split or data set, or choose on fewer pictures"
            )
        pools.append(pool)
    picked: list[tuple[Dataset, Entry]] = []
    for number, (dataset, pool, share) in enumerate(zip(datasets, pools, _shares(pools, count), strict=True)):
        chosen = np.random.default_rng((seed, number)).choice(len(pool), share, replace=False)
        picked += [(dataset, pool[index]) for index in sorted(chosen)]
    return Draw(tuple(dataset.name for dataset in datasets), split, tuple(picked))


def refuse_test_split(split: str) -> None:
    """Refuse to choose on pictures that results are reported on.

    Raises:
        DatasetError: it is the test split.
    """
    if split == TEST_SPLIT:
        raise DatasetError("solvers chosen on split 'test' would spoil it for every later figure: choose on another")


def _shares(pools: Sequence[Sequence[Entry]], count: int) -> list[int]:
    """How many of each pool: even shares, what a small pool lacks is taken from the others."""
    shares = [0] * len(pools)
    for _ in range(min(count, sum(map(len, pools)))):
        open_pools = [index for index, pool in enumerate(pools) if shares[index] < len(pool)]
        shares[min(open_pools, key=lambda index: shares[index])] += 1
    return shares
