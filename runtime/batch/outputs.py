"""The folder that `hemonode run` writes: one row, mask, overlay and thumbnail for each picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.errors import OutputError
from hemonode.runtime.batch.files import Table, cannot_write, make_folder, write_picture
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.counting.cells import Tally
from hemonode.runtime.overlay import add_legend, draw_overlay
from hemonode.runtime.segmentation import Segmentation

_THUMBNAIL_PX = 360
_LARGEST_JPEG_PX = 65_000
"""JPEG ends at 65535; the legend takes a few rows."""

_FILES = ("counts.csv", "cells.csv", "summary.json", "index.html")
_PICTURES = {"masks": ".png", "overlays": ".jpg", "thumbnails": ".jpg"}


def is_result(file: Path) -> bool:
    """Whether a file is a mask, overlay or thumbnail that a run has written."""
    return file.parent.name in _PICTURES and (file.parent.parent / "counts.csv").is_file()


class OutputFolder:
    """Results of one batch.

    Args:
        path: made where it is missing; earlier results of ours in it are removed only where `overwrite` says so.
        classes: of the model; their names are the columns.
        overwrite: whether earlier results may be replaced.
        overlays: whether overlays and thumbnails are drawn.

    Raises:
        OutputError: a file is in the way, no rights, no space, or earlier results.
    """

    def __init__(self, path: Path, classes: Sequence[ClassRecord], *, overwrite: bool, overlays: bool) -> None:
        self.path = path
        self.classes = tuple(classes)
        self.countable = tuple(entry for entry in classes if entry.countable)
        self.overlays = overlays
        make_folder(path)
        if any((path / name).exists() for name in _FILES):
            if not overwrite:
                raise OutputError(f"{path} already holds results: choose another folder, or add --overwrite")
            _remove_results(path)
        for name in _PICTURES if overlays else ("masks",):
            make_folder(path / name)
        names = [entry.name for entry in self.countable]
        extra = ["width", "height", "red_cell_px", "scale_source", "milliseconds", "file"]
        self._counts = Table(path / "counts.csv", ["image", *names, *(f"{name}_in" for name in names), *extra])
        box = ["x", "y", "width", "height", "score", "in_frame"]
        self._cells = Table(path / "cells.csv", ["image", "class", *box])

    def write(
        self,
        name: str,
        file: str,
        pixels: npt.NDArray[np.uint8],
        found: Segmentation,
        counts: Tally,
        milliseconds: float,
    ) -> None:
        """One picture's results: its row in counts.csv comes last, so that a row means all is there.

        Raises:
            OutputError: the disk is full or the folder is gone.
        """
        write_picture(self.path / "masks" / f"{name}.png", found.class_ids)
        if self.overlays:
            overlay = draw_overlay(pixels, found.class_ids, found.cells, self.classes, part_touching=True)
            drawn = _within(add_legend(overlay, counts, self.classes), _LARGEST_JPEG_PX)
            write_picture(self.path / "overlays" / f"{name}.jpg", drawn)
            write_picture(self.path / "thumbnails" / f"{name}.jpg", _within(overlay, _THUMBNAIL_PX))
        names = {entry.id: entry.name for entry in self.classes}
        self._cells.add(
            [
                name,
                names[cell.class_id],
                *(f"{value:.1f}" for value in (cell.x, cell.y, cell.width, cell.height)),
                f"{cell.score:.3f}",
                int(cell.in_frame),
            ]
            for cell in found.cells
        )
        visible = [counts.visible[entry.id] for entry in self.countable]
        inside = [counts.in_frame[entry.id] for entry in self.countable]
        size = [pixels.shape[1], pixels.shape[0]]
        scale = [f"{found.red_cell_px:.1f}", found.scale_source]
        self._counts.add([[name, *visible, *inside, *size, *scale, f"{milliseconds:.1f}", file]])

    def close(self) -> None:
        """Close the tables."""
        self._counts.close()
        self._cells.close()


def _remove_results(path: Path) -> None:
    """Delete what an earlier run has written, as its counts.csv lists it; a person's own files stay."""
    try:
        for name in _listed(path / "counts.csv"):
            for folder, suffix in _PICTURES.items():
                (path / folder / f"{name}{suffix}").unlink(missing_ok=True)
        for name in _FILES:
            (path / name).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def _listed(counts: Path) -> list[str]:
    """The images of a counts.csv; names that would lead out of the folder are left alone."""
    if not counts.is_file():
        return []
    with counts.open(newline="", encoding="utf-8", errors="replace") as file:
        names = [row.get("image") or "" for row in csv.DictReader(file)]
    return [name for name in names if name and Path(name).name == name]


def _within(pixels: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """The picture, shrunk where a side is longer."""
    factor = side / max(pixels.shape[:2])
    if factor >= 1:
        return pixels
    size = (max(round(pixels.shape[1] * factor), 1), max(round(pixels.shape[0] * factor), 1))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
