"""Reads Pascal VOC boxes: one XML file for each picture."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from hemonode.errors import DatasetError
from hemonode.train.data.boxes import box_from_edges
from hemonode.train.data.labels import LabelReader, Labels, read_text
from hemonode.train.data.sample import Box


class VocBoxes(LabelReader):
    """`format = "voc"`: XML files; `classes` maps the names in them to class ids."""

    format: Literal["voc"]
    classes: dict[str, int]

    @property
    def file_suffix(self) -> str:
        """What follows the picture's name in the name of its label file."""
        return ".xml"

    def class_ids(self) -> set[int]:
        """The class ids that the names are mapped to."""
        return set(self.classes.values())

    def read(self, root: Path, name: str, height: int, width: int) -> Labels:
        """The boxes in pixels; those without an area are reported and dropped."""
        path = self.file_of(root, name)
        try:
            annotation = ElementTree.fromstring(read_text(path))
        except ElementTree.ParseError as error:
            raise DatasetError(f"{path} is not valid XML: {error}.") from error
        _check_size(annotation, path, height, width)
        boxes: list[Box] = []
        problems: list[str] = []
        for number, item in enumerate(annotation.iter("object"), start=1):
            label = (item.findtext("name") or "").strip()
            if label not in self.classes:
                raise DatasetError(f"{path}, object {number}: {label!r} is not in `classes` of the dataset.toml.")
            left, top, right, bottom = _corners(item, path, number)
            # VOC counts pixels from 1 and includes the last one (Everingham et al., VOC2007 development kit).
            box = box_from_edges(self.classes[label], (left - 1, top - 1, right, bottom), height, width)
            if box is None or right <= left or bottom <= top:
                problems.append(f"{path}, object {number} ({label}): box without an area dropped.")
            else:
                boxes.append(box)
        return Labels(boxes=tuple(boxes), problems=tuple(problems))


def _corners(item: ElementTree.Element, path: Path, number: int) -> tuple[float, float, float, float]:
    try:
        left, top, right, bottom = (
            float(item.findtext(f"bndbox/{corner}", "")) for corner in ("xmin", "ymin", "xmax", "ymax")
        )
    except ValueError as error:
        raise DatasetError(f"{path}, object {number}: xmin, ymin, xmax or ymax is missing or no number.") from error
    return left, top, right, bottom


def _check_size(annotation: ElementTree.Element, path: Path, height: int, width: int) -> None:
    stated = (annotation.findtext("size/width", ""), annotation.findtext("size/height", ""))
    # Some tools leave the size out or write zeros; then there is nothing to compare.
    if all(value.isdigit() and int(value) > 0 for value in stated) and stated != (str(width), str(height)):
        raise DatasetError(
            f"{path} is for a picture of {stated[0]}×{stated[1]} pixels, the picture has {width}×{height}; "
            "replace one of them."
        )
