"""Reads LabelMe drawings: one JSON file for each picture, with polygons, rectangles, circles and bitmaps."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, ValidationError

from hemonode.errors import DatasetError
from hemonode.train.data.labels import Labels, read_text
from hemonode.train.data.region_labels import RegionLabels, boxes_of
from hemonode.train.data.regions import Area, Region, circle_area, polygon_area, rectangle_area


class _Shape(BaseModel):
    label: str
    points: list[tuple[float, float]]
    shape_type: str = "polygon"
    group_id: int | None = None
    mask: str | None = None


class _File(BaseModel):
    shapes: list[_Shape]
    height: int | None = Field(None, alias="imageHeight")
    width: int | None = Field(None, alias="imageWidth")


class LabelMeShapes(RegionLabels):
    """`format = "labelme"`: shapes of one label and one `group_id` are parts of one cell."""

    format: Literal["labelme"]

    @property
    def file_suffix(self) -> str:
        """What follows the picture's name in the name of its label file."""
        return ".json"

    def read(self, root: Path, name: str, height: int, width: int) -> Labels:
        """Mask and boxes of all shapes; shapes without an area are reported and dropped."""
        path = self.file_of(root, name)
        content = _parse(path)
        if None not in (content.height, content.width) and (content.height, content.width) != (height, width):
            raise DatasetError(
                f"{path} is for a picture of {content.width}×{content.height} pixels, the picture has "
                f"{width}×{height}; replace one of them."
            )
        cells: dict[tuple[str, int], tuple[str, Area]] = {}
        problems: list[str] = []
        for number, shape in enumerate(content.shapes):
            place = f"{path}, shape {number} ({shape.label})"
            if shape.label not in self.classes:
                raise DatasetError(f"{place}: the label is not in `classes` of the dataset.toml.")
            if shape.shape_type not in _DRAW:
                problems.append(f"{place}: a {shape.shape_type} has no area, dropped.")
                continue
            area = _DRAW[shape.shape_type](shape, place, height, width)
            # A negative key for shapes of no group, so that each of them is a cell of its own.
            key = (shape.label, -number - 1 if shape.group_id is None else shape.group_id)
            cells[key] = (place, cells[key][1] | area if key in cells else area)
        regions = [(place, Region(self.classes[label], area)) for (label, _), (place, area) in cells.items()]
        boxes, dropped = boxes_of(regions)
        mask = self.mask_of((region for _, region in regions), height, width)
        return Labels(mask, tuple(boxes), (*problems, *dropped))


def _parse(path: Path) -> _File:
    try:
        return _File.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise DatasetError(f"{path} is not a LabelMe file: {place}: {first['msg']}.") from error


def _points(shape: _Shape, fewest: int, place: str) -> npt.NDArray[np.float64]:
    if len(shape.points) < fewest or not np.isfinite(shape.points).all():
        raise DatasetError(f"{place}: a {shape.shape_type} needs at least {fewest} points; draw it again.")
    return np.array(shape.points, np.float64)


def _polygon(shape: _Shape, place: str, height: int, width: int) -> Area:
    return polygon_area(_points(shape, 3, place), height, width)


def _rectangle(shape: _Shape, place: str, height: int, width: int) -> Area:
    points = _points(shape, 2, place)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return rectangle_area((left, top, right, bottom), height, width)


def _circle(shape: _Shape, place: str, height: int, width: int) -> Area:
    centre, edge = _points(shape, 2, place)[:2]
    return circle_area(centre[0], centre[1], math.dist(centre, edge), height, width)


def _bitmap(shape: _Shape, place: str, height: int, width: int) -> Area:
    """A PNG in base64, whose first pixel lies on the shape's first point."""
    left, top = (round(value) for value in _points(shape, 1, place).min(axis=0))
    try:
        encoded = np.frombuffer(base64.b64decode(shape.mask or "", validate=True), np.uint8)
    except binascii.Error as error:
        raise DatasetError(f"{place}: its mask is not base64; draw it again.") from error
    bitmap = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) if encoded.size else None
    if bitmap is None:
        raise DatasetError(f"{place}: its mask is not a picture; draw it again.")
    area = np.zeros((height, width), np.bool_)
    visible = bitmap[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)] > 0
    rows, columns = visible.shape
    area[max(0, top) : max(0, top) + rows, max(0, left) : max(0, left) + columns] = visible
    return area


_DRAW: dict[str, Callable[[_Shape, str, int, int], Area]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "circle": _circle,
    "mask": _bitmap,
}
