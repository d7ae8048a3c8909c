"""A folder of labelled pictures as a dataset.toml describes it: its entries by split, and each as one sample."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from hemonode.device.pictures import PICTURE_SUFFIXES, read_picture
from hemonode.errors import DatasetError
from hemonode.runtime.classes import IGNORE_ID, CellClass
from hemonode.train.data.description import Description, read_description
from hemonode.train.data.labels import Labels
from hemonode.train.data.sample import Box, Sample
from hemonode.train.data.scale import measured_red_cell_px
from hemonode.train.data.splits import group_names, split_names


@dataclass(frozen=True)
class Entry:
    """One picture of a data set, not yet read."""

    name: str
    path: Path
    split: str
    group: str


class Dataset:
    """Labelled pictures under `root`. Reading an entry twice reads the files twice; nothing large is kept."""

    def __init__(self, description: Description, root: Path) -> None:
        self.description = description
        self.root = root
        self._entries = _list_entries(description, root)

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.description.name

    @property
    def licence(self) -> str:
        """The licence of pictures and labels, as the description states it."""
        return self.description.licence

    @property
    def classes(self) -> tuple[CellClass, ...]:
        """The classes, in id order."""
        return self.description.cell_classes()

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of all splits that have pictures."""
        return tuple(sorted({entry.split for entry in self._entries}))

    def entries(self, split: str | None = None) -> list[Entry]:
        """The pictures of one split, or all, by name.

        Raises:
            DatasetError: there is no such split.
        """
        if split is None:
            return list(self._entries)
        found = [entry for entry in self._entries if entry.split == split]
        if not found:
            raise DatasetError(f"data set {self.name} has no split {split!r}; it has {', '.join(self.splits)}.")
        return found

    def picture_paths(self) -> list[Path]:
        """Every picture in the folder, those without labels too."""
        return list(_list_pictures(self.root / self.description.images.path, self.description.images.pattern).values())

    def samples(self, split: str | None = None) -> Iterator[Sample]:
        """Every sample of a split, read one at a time."""
        return (self.read(entry) for entry in self.entries(split))

    def read(self, entry: Entry) -> Sample:
        """The picture with everything known about it.

        Raises:
            PictureError: the picture cannot be read.
            DatasetError: its labels cannot be read, or do not fit it.
        """
        pixels = read_picture(entry.path)
        height, width = pixels.shape[:2]
        labels = self.read_labels(entry, height, width)
        return Sample(
            name=entry.name,
            path=entry.path,
            pixels=pixels,
            mask=labels.mask,
            boxes=labels.boxes,
            complete_ids=self.complete_ids(entry, height, width),
            red_cell_px=self._red_cell_px(labels.boxes, height, width),
            group=entry.group,
        )

    def read_labels(self, entry: Entry, height: int, width: int) -> Labels:
        """What all label sources together say about a picture of `height`×`width` pixels.

        Raises:
            DatasetError: a label file cannot be read, or does not fit its picture or the classes.
        """
        mask: npt.NDArray[np.uint8] | None = None
        boxes: tuple[Box, ...] | None = None
        problems: list[str] = []
        for reader in self.description.labels:
            if not reader.has(self.root, entry.name) and reader.missing != "error":
                continue
            labels = reader.read(self.root, entry.name, height, width)
            problems.extend(labels.problems)
            if labels.mask is not None:
                if mask is not None:
                    raise DatasetError(f"two label sources give a mask for {entry.name}; keep one of them.")
                self._check_mask(labels.mask, reader.file_of(self.root, entry.name), height, width)
                mask = labels.mask
            if labels.boxes is not None:
                boxes = (boxes or ()) + labels.boxes
        return Labels(mask, boxes, tuple(problems))

    def complete_ids(self, entry: Entry, height: int, width: int) -> tuple[int, ...]:
        """Classes of which every visible cell of this picture has its box."""
        ids = {
            class_id
            for reader in self.description.labels
            if reader.has(self.root, entry.name)
            for class_id in reader.complete_ids(height, width)
        }
        return tuple(sorted(ids))

    def _check_mask(self, mask: npt.NDArray[np.uint8], path: Path, height: int, width: int) -> None:
        if mask.shape != (height, width):
            raise DatasetError(
                f"mask {path} has {mask.shape[1]}×{mask.shape[0]} pixels, its picture {width}×{height}; replace one."
            )
        known = {entry.id for entry in self.classes} | {IGNORE_ID}
        unknown = sorted({int(value) for value in np.unique(mask)} - known)
        if unknown:
            raise DatasetError(f"mask {path} holds class id {unknown[0]}, which the data set's classes do not have.")

    def _red_cell_px(self, boxes: tuple[Box, ...] | None, height: int, width: int) -> float:
        if self.description.red_cell_px != "boxes":
            return self.description.red_cell_px
        measured = measured_red_cell_px(boxes or (), self._red_id, height, width)
        if measured is not None:
            return measured
        if (height, width) not in self._usual_red_cell_px:
            raise DatasetError(
                f"no picture of {width}×{height} pixels in {self.name} has enough red-cell boxes to measure; "
                "give red_cell_px as a number of pixels in the dataset.toml."
            )
        return self._usual_red_cell_px[height, width]

    @property
    def _red_id(self) -> int:
        return next(entry.id for entry in self.classes if entry.name == "red_cell")

    @cached_property
    def _usual_red_cell_px(self) -> dict[tuple[int, int], float]:
        measured: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
        for entry in self._entries:
            height, width = read_picture(entry.path).shape[:2]
            boxes = self.read_labels(entry, height, width).boxes or ()
            diameter = measured_red_cell_px(boxes, self._red_id, height, width)
            if diameter is not None:
                measured[height, width].append(diameter)
        return {size: median(diameters) for size, diameters in measured.items()}


def load_dataset(toml: Path, root: Path | None = None) -> Dataset:
    """The data set that a dataset.toml describes.

    Args:
        toml: the description.
        root: folder that its paths start from; the description's own folder where None.

    Raises:
        DatasetError: the description is wrong, a folder is missing, or there are no pictures.
    """
    return Dataset(read_description(toml), toml.parent if root is None else root)


def _list_entries(description: Description, root: Path) -> tuple[Entry, ...]:
    pictures = _list_pictures(root / description.images.path, description.images.pattern)
    for reader in description.labels:
        if not (root / reader.path).exists():
            raise DatasetError(f"data set {description.name}: {root / reader.path} is missing; correct `labels.path`.")
        if reader.missing == "leave_out":
            pictures = {name: path for name, path in pictures.items() if reader.has(root, name)}
    if not pictures:
        raise DatasetError(f"data set {description.name}: no picture has labels; check `images` and `labels`.")
    group_of = group_names(sorted(pictures), description.groups)
    splits = split_names(group_of, description.split, root)
    return tuple(Entry(name, pictures[name], splits[name], group_of[name]) for name in sorted(pictures))


def _list_pictures(folder: Path, pattern: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; correct `images.path` in the dataset.toml, or the root.")
    pictures: dict[str, Path] = {}
    for path in sorted(folder.glob(pattern)):
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            continue
        if path.stem in pictures:
            raise DatasetError(f"{path} and {pictures[path.stem].name} have the same stem; rename one of them.")
        pictures[path.stem] = path
    if not pictures:
        raise DatasetError(f"{folder} holds no pictures that match {pattern!r}.")
    return pictures
