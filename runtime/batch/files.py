"""Files that are whole at any time, whatever interrupts the writing."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.errors import OutputError
from hemonode.runtime.atomic import write_atomically


class Table:
    """A CSV file that ends with a whole row after every call. Closed once.

    Raises:
        OutputError: it cannot be made.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise cannot_write(path, error) from error
        self.add([columns])

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        """Append rows, all or none.

        Raises:
            OutputError: the disk is full or the folder is gone.
        """
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = memoryview(text.getvalue().encode())
        whole = self._file.tell()
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            os.ftruncate(self._file.fileno(), whole)
            raise cannot_write(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def write_text(path: Path, text: str) -> None:
    """Replace a text file, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    _write(path, text.encode())


def write_picture(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Replace a PNG or JPEG, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    _, data = cv2.imencode(path.suffix, pixels)
    _write(path, data.tobytes())


def make_folder(path: Path) -> None:
    """Make a folder, where there is none yet.

    Raises:
        OutputError: a file is in the way, or there are no rights.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError(f"{path} is a file: choose a folder for the results") from error
    except OSError as error:
        raise OutputError(f"cannot make the folder {path} ({error.strerror}): choose another one") from error


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error that says so."""
    return OutputError(f"cannot write {path} ({error.strerror}): make room or choose another output folder")


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        raise cannot_write(path, error) from error
