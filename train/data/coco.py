"""Reads COCO annotations: one JSON file for all pictures, with polygons, run-length masks or boxes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ValidationError

from hemonode.errors import DatasetError
from hemonode.runtime.classes import IGNORE_ID
from hemonode.train.data.boxes import box_from_edges
from hemonode.train.data.labels import Labels, read_text
from hemonode.train.data.region_labels import RegionLabels, boxes_of
from hemonode.train.data.regions import Area, Region, polygon_area, rectangle_area
from hemonode.train.data.rle import area_from_counts, unpack_counts
from hemonode.train.data.sample import Box


class _Runs(BaseModel):
    size: tuple[int, int]
    counts: str | list[int]


class _Annotation(BaseModel):
    id: int
    image_id: int | str
    category_id: int
    segmentation: _Runs | list[list[float]] | None = None
    bbox: tuple[float, float, float, float] | None = None
    iscrowd: int = 0


class _Image(BaseModel):
    id: int | str
    file_name: str
    width: int
    height: int


class _Category(BaseModel):
    id: int
    name: str


class _File(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


@dataclass(frozen=True)
class _Index:
    images: dict[str, _Image]
    annotations: dict[int | str, list[_Annotation]]
    categories: dict[int, str]
    has_areas: bool


class CocoAnnotations(RegionLabels):
    """`format = "coco"`: `path` is the JSON file, `classes` maps its category names. Crowds get no box."""

    format: Literal["coco"]

    def has(self, root: Path, name: str) -> bool:
        """Whether the file lists the picture of this name."""
        return name in self.names(root)

    def names(self, root: Path) -> set[str]:
        """The names of all pictures that the file lists."""
        return set(_read_index(root / self.path).images)

    def file_of(self, root: Path, name: str) -> Path:  # noqa: ARG002
        """The one file of all pictures."""
        return root / self.path

    def read(self, root: Path, name: str, height: int, width: int) -> Labels:
        """Mask and boxes of the picture's annotations; no mask where the whole file has boxes alone."""
        path = self.file_of(root, name)
        index = _read_index(path)
        if name not in index.images:
            raise DatasetError(f"{path} does not list the picture {name}; add it, or set `missing`.")
        image = index.images[name]
        if (image.height, image.width) != (height, width):
            raise DatasetError(
                f"{path} says that {image.file_name} has {image.width}×{image.height} pixels, it has {width}×{height}."
            )
        cells: list[tuple[str, Region]] = []
        unboxed: list[Region] = []
        boxes: list[Box] = []
        problems: list[str] = []
        for annotation in index.annotations[image.id]:
            place = f"{path}, annotation {annotation.id}"
            class_id = self._class_id(annotation, index, place)
            if annotation.segmentation:
                region = Region(class_id, _area(annotation, place, height, width))
                # The area of a crowd is right, but it is not one cell.
                if annotation.iscrowd:
                    unboxed.append(region)
                else:
                    cells.append((place, region))
                continue
            edges = _edges(annotation)
            box = edges and box_from_edges(class_id, edges, height, width)
            if not edges or not box:
                problems.append(f"{place}: neither an area nor a box, dropped.")
                continue
            # Of a cell with a box alone, nobody knows which pixels in the box are its own.
            unboxed.append(Region(IGNORE_ID, rectangle_area(edges, height, width)))
            if class_id != IGNORE_ID:
                boxes.append(box)
        drawn, dropped = boxes_of(cells)
        mask = self.mask_of([*unboxed, *(region for _, region in cells)], height, width) if index.has_areas else None
        return Labels(mask, (*boxes, *drawn), (*problems, *dropped))

    def _class_id(self, annotation: _Annotation, index: _Index, place: str) -> int:
        name = index.categories.get(annotation.category_id)
        if name is None or name not in self.classes:
            raise DatasetError(
                f"{place}: category {name or annotation.category_id!r} is not in `classes` of the dataset.toml."
            )
        return self.classes[name]


def _edges(annotation: _Annotation) -> tuple[float, float, float, float] | None:
    if annotation.bbox is None:
        return None
    left, top, width, height = annotation.bbox
    return left, top, left + width, top + height


def _area(annotation: _Annotation, place: str, height: int, width: int) -> Area:
    drawn = annotation.segmentation
    if isinstance(drawn, _Runs):
        if drawn.size != (height, width):
            raise DatasetError(f"{place}: its mask is for {drawn.size[1]}×{drawn.size[0]} pixels; export it again.")
        try:
            counts = unpack_counts(drawn.counts) if isinstance(drawn.counts, str) else drawn.counts
            return area_from_counts(counts, height, width)
        except ValueError as error:
            raise DatasetError(f"{place}: {error}; export the annotations again.") from error
    area = np.zeros((height, width), np.bool_)
    for ring in drawn or ():
        if len(ring) < 6 or len(ring) % 2 or not np.isfinite(ring).all():
            raise DatasetError(f"{place}: a polygon needs at least three points (x, y); draw it again.")
        area |= polygon_area(np.array(ring, np.float64).reshape(-1, 2), height, width)
    return area


def _read_index(path: Path) -> _Index:
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}); correct `labels.path`.") from error
    return _parse(path, changed_ns)


# Parsed once for all of its pictures; the time of change is part of the key, so an edited file is read again.
@lru_cache(maxsize=4)
def _parse(path: Path, changed_ns: int) -> _Index:  # noqa: ARG001
    try:
        content = _File.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise DatasetError(f"{path} is not a COCO file: {place}: {first['msg']}.") from error
    annotations: defaultdict[int | str, list[_Annotation]] = defaultdict(list)
    for annotation in content.annotations:
        annotations[annotation.image_id].append(annotation)
    orphans = annotations.keys() - {image.id for image in content.images}
    if orphans:
        raise DatasetError(f"{path}: `annotations` name picture {min(orphans, key=str)}, which `images` lacks.")
    return _Index(
        images={Path(image.file_name).stem: image for image in content.images},
        annotations=annotations,
        categories={category.id: category.name for category in content.categories},
        has_areas=any(annotation.segmentation for annotation in content.annotations),
    )
