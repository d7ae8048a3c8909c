"""The folder that `hemonode run` writes: every file is whole at any time, whatever interrupts the batch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.errors import OutputError
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.counting.cells import Tally
from hemonode.runtime.overlay import add_legend, draw_overlay
from hemonode.runtime.segment import Segmentation

_THUMBNAIL_PX = 360
_OURS = ("counts.csv", "cells.csv", "summary.json", "index.html")


class OutputFolder:
    """Results of one batch.

    Args:
        path: made where it is missing; earlier results of ours in it are replaced only where `overwrite` says so.
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
        _make(path)
        if not overwrite and any((path / name).exists() for name in _OURS):
            raise OutputError(f"{path} already holds results: choose another folder, or add --overwrite")
        for name in ("masks", "overlays", "thumbnails") if overlays else ("masks",):
            _make(path / name)
        names = [entry.name for entry in self.countable]
        extra = ["width", "height", "red_cell_px", "scale_source", "milliseconds"]
        self._counts = _Table(path / "counts.csv", ["image", *names, *(f"{name}_in" for name in names), *extra])
        box = ["x", "y", "width", "height", "score", "in_frame"]
        self._cells = _Table(path / "cells.csv", ["image", "class", *box])

    def write(
        self, name: str, pixels: npt.NDArray[np.uint8], found: Segmentation, counts: Tally, milliseconds: float
    ) -> None:
        """One picture's results: pictures first, its row in counts.csv last, so that a row means all is there.

        Raises:
            OutputError: the disk is full or the folder is gone.
        """
        write_picture(self.path / "masks" / f"{name}.png", found.class_ids)
        if self.overlays:
            drawn = add_legend(draw_overlay(pixels, found.class_ids, found.cells, self.classes), counts, self.classes)
            write_picture(self.path / "overlays" / f"{name}.jpg", drawn)
            write_picture(self.path / "thumbnails" / f"{name}.jpg", _thumbnail(drawn))
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
        self._counts.add([[name, *visible, *inside, *size, *scale, f"{milliseconds:.1f}"]])

    def close(self) -> None:
        """Close the tables."""
        self._counts.close()
        self._cells.close()


class _Table:
    """A CSV file that is complete after every call: rows go out together, at once."""

    def __init__(self, path: Path, columns: list[str]) -> None:
        self._path = path
        try:
            self._file = path.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise _cannot_write(path, error) from error
        self.add([columns])

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        try:
            self._file.write(text.getvalue())
            self._file.flush()
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def close(self) -> None:
        self._file.close()


def write_text(path: Path, text: str) -> None:
    """Replace a text file, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    _write_atomically(path, text.encode())


def write_picture(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Replace a PNG or JPEG, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    _, data = cv2.imencode(path.suffix, pixels)
    _write_atomically(path, data.tobytes())


def _write_atomically(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path} ({error.strerror}): make room or choose another output folder")


def _make(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError(f"{path} is a file: choose a folder for the results") from error
    except OSError as error:
        raise OutputError(f"cannot make the folder {path} ({error.strerror}): choose another one") from error


def _thumbnail(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    factor = min(_THUMBNAIL_PX / max(pixels.shape[:2]), 1.0)
    size = (max(round(pixels.shape[1] * factor), 1), max(round(pixels.shape[0] * factor), 1))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
