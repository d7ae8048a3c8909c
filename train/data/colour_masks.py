"""Reads masks that show classes as colours: one PNG for each picture, and a list of colours."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import field_validator

from hemonode.errors import DatasetError
from hemonode.train.data.labels import LabelReader, Labels
from hemonode.train.data.masks import read_mask_pixels


class ColourMasks(LabelReader):
    """`format = "colour_mask"`: coloured pictures.

    Attributes:
        colours: "#rrggbb" to class id (255: not labelled). A colour that is not listed is an error.
    """

    format: Literal["colour_mask"]
    suffix: str = ".png"
    colours: dict[str, int]

    @field_validator("colours")
    @classmethod
    def _hexadecimal(cls, colours: dict[str, int]) -> dict[str, int]:
        for colour in colours:
            if len(colour) != 7 or colour[0] != "#" or not set(colour[1:].lower()) <= set("0123456789abcdef"):
                raise ValueError(f"{colour!r} is not of the form '#rrggbb'")
        return {colour.lower(): class_id for colour, class_id in colours.items()}

    @property
    def file_suffix(self) -> str:
        """What follows the picture's name in the name of its label file."""
        return self.suffix

    def class_ids(self) -> set[int]:
        """The class ids that colours are mapped to."""
        return set(self.colours.values())

    def read(self, root: Path, name: str, height: int, width: int) -> Labels:  # noqa: ARG002
        """The mask with every colour replaced by its class id."""
        path = self.file_of(root, name)
        codes = _codes(read_mask_pixels(path))
        found, places = np.unique(codes, return_inverse=True)
        ids = np.empty(len(found), np.uint8)
        for index, code in enumerate(found):
            colour = f"#{int(code):06x}"
            if colour not in self.colours:
                raise DatasetError(f"mask {path} holds the colour {colour}, which `colours` does not name.")
            ids[index] = self.colours[colour]
        return Labels(mask=ids[places].reshape(codes.shape))


def _codes(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Each pixel's colour as one number, 0xrrggbb."""
    wide = (pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)).astype(np.uint32)
    return np.asarray(wide[..., 2] << 16 | wide[..., 1] << 8 | wide[..., 0], np.uint32)
