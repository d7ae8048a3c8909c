"""What every label reader is and returns: the labels of one picture, in whatever format they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from hemonode.errors import DatasetError
from hemonode.train.data.sample import Box

Missing = Literal["error", "unlabelled", "leave_out"]


@dataclass(frozen=True)
class Labels:
    """What one label source says about one picture.

    Attributes:
        mask: uint8 [H, W] class ids, 255 where the source does not speak; None from sources without areas.
        boxes: every cell the source names, or None from sources without cells.
        problems: sentences on labels that were dropped because they cannot be right.
    """

    mask: npt.NDArray[np.uint8] | None = None
    boxes: tuple[Box, ...] | None = None
    problems: tuple[str, ...] = ()


class LabelReader(BaseModel):
    """One `[[labels]]` table of a dataset.toml; each format is a subclass in a file of its own.

    Attributes:
        path: folder of the label files (one for each picture, of the same stem), or the one label file.
        complete: classes of which every visible cell of a labelled picture has its box.
        complete_by_size: the same for pictures of one size, "360x363" (width x height), instead of `complete`:
            what comes from another microscope is often labelled to another standard.
        missing: what a picture without labels here is: an `error`, `unlabelled`, or `leave_out` of the data set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    complete: tuple[int, ...] = ()
    complete_by_size: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    missing: Missing = "error"

    def has(self, root: Path, name: str) -> bool:
        """Whether the picture of this name has labels here."""
        return self.file_of(root, name).is_file()

    def names(self, root: Path) -> set[str]:
        """The names of all pictures that have labels here."""
        paths = (root / self.path).glob(f"*{self.file_suffix}")
        return {path.name.removesuffix(self.file_suffix) for path in paths}

    def file_of(self, root: Path, name: str) -> Path:
        """The file that holds the labels of the picture of this name."""
        return root / self.path / f"{name}{self.file_suffix}"

    @property
    def file_suffix(self) -> str:
        """What follows the picture's name in the name of its label file."""
        raise NotImplementedError

    def complete_ids(self, height: int, width: int) -> tuple[int, ...]:
        """The classes whose boxes are complete in pictures of `height`×`width` pixels."""
        return self.complete_by_size.get(f"{width}x{height}", self.complete)

    def class_ids(self) -> set[int]:
        """Every class id that this description can produce; empty where the files alone decide."""
        raise NotImplementedError

    def read(self, root: Path, name: str, height: int, width: int) -> Labels:
        """The labels of the picture called `name`, which has `height`×`width` pixels.

        Raises:
            DatasetError: the file is missing, cannot be parsed, or names an unknown class.
        """
        raise NotImplementedError


def read_text(path: Path) -> str:
    """The text of a label file.

    Raises:
        DatasetError: the file is missing, may not be read, or is not text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a text file in UTF-8; replace it.") from error
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read ({error.strerror}); check that it exists and your rights."
        ) from error
