"""Reads YOLO text boxes: a line `class cx cy width height` for each cell, relative to the picture's size."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hemonode.errors import DatasetError
from hemonode.train.data.boxes import box_from_edges
from hemonode.train.data.labels import LabelReader, Labels, read_text
from hemonode.train.data.sample import Box


class YoloBoxes(LabelReader):
    """`format = "yolo"`: one text file for each picture; `classes` maps its numbers to class ids."""

    format: Literal["yolo"]
    classes: dict[int, int]

    @property
    def file_suffix(self) -> str:
        """What follows the picture's name in the name of its label file."""
        return ".txt"

    def class_ids(self) -> set[int]:
        """The class ids that the numbers are mapped to."""
        return set(self.classes.values())

    def read(self, root: Path, name: str, height: int, width: int) -> Labels:
        """The boxes in pixels; those without an area are reported and dropped."""
        path = self.file_of(root, name)
        boxes: list[Box] = []
        problems: list[str] = []
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            if not line.strip():
                continue
            label, x, y, box_width, box_height = _parse(line, path, number)
            if label not in self.classes:
                raise DatasetError(f"{path}, line {number}: class {label} is not in `classes` of the dataset.toml.")
            left, top = (x - box_width / 2) * width, (y - box_height / 2) * height
            edges = (left, top, left + box_width * width, top + box_height * height)
            box = box_from_edges(self.classes[label], edges, height, width)
            if box is None:
                problems.append(f"{path}, line {number}: box without an area dropped.")
            else:
                boxes.append(box)
        return Labels(boxes=tuple(boxes), problems=tuple(problems))


def _parse(line: str, path: Path, number: int) -> tuple[int, float, float, float, float]:
    try:
        label, x, y, width, height = line.split()
        values = (int(label), float(x), float(y), float(width), float(height))
    except ValueError as error:
        raise DatasetError(f"{path}, line {number}: expected `class cx cy width height`, found {line!r}.") from error
    if not all(0 <= value <= 1 for value in values[1:]):
        raise DatasetError(f"{path}, line {number}: values must lie between 0 and 1 (relative to the picture).")
    return values
