"""Reads YOLO text boxes: a line `class cx cy width height` for each cell, relative to the picture's size."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from hemonode.errors import DatasetError
from hemonode.train.data.labels import LabelReader, Labels, read_text
from hemonode.train.data.sample import Box


class YoloBoxes(LabelReader):
    """`format = "yolo"`: one text file for each picture; `classes` maps its numbers to class ids."""

    format: Literal["yolo"]
    classes: dict[int, int]

    def file_of(self, root: Path, name: str) -> Path:
        """The text file of the picture of this name."""
        return root / self.path / f"{name}.txt"

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
            box = Box(self.classes[label], x * width, y * height, box_width * width, box_height * height)
            if box.width < 1 or box.height < 1:
                problems.append(f"{path}, line {number}: box of {box.width:.1f}×{box.height:.1f} px dropped.")
            else:
                boxes.append(box)
        return Labels(boxes=tuple(boxes), problems=tuple(problems))


def _parse(line: str, path: Path, number: int) -> tuple[int, float, float, float, float]:
    fields = line.split()
    try:
        label = int(fields[0])
        x, y, width, height = (float(field) for field in fields[1:])
    except ValueError as error:
        raise DatasetError(f"{path}, line {number}: expected `class cx cy width height`, found {line!r}.") from error
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in (x, y, width, height)):
        raise DatasetError(f"{path}, line {number}: values must lie between 0 and 1 (relative to the picture).")
    return label, x, y, width, height
