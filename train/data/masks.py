"""Reads masks whose pixel values are class ids, or are mapped to them: one PNG for each picture."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from hemonode.errors import DatasetError
from hemonode.train.data.labels import LabelReader, Labels


class ClassIdMasks(LabelReader):
    """`format = "mask"`: single-channel pictures of class ids.

    Attributes:
        values: pixel value to class id, for masks with other numbers; without it values are class ids.
    """

    format: Literal["mask"]
    suffix: str = ".png"
    values: dict[int, int] = Field(default_factory=dict)

    @property
    def file_suffix(self) -> str:
        """What follows the picture's name in the name of its label file."""
        return self.suffix

    def class_ids(self) -> set[int]:
        """The class ids that values are mapped to."""
        return set(self.values.values())

    def read(self, root: Path, name: str, height: int, width: int) -> Labels:  # noqa: ARG002
        """The mask as it is stored; the data set compares its size and ids."""
        path = self.file_of(root, name)
        values = _read_single_channel(path)
        if not self.values:
            return Labels(mask=values)
        unknown = sorted({int(value) for value in np.unique(values)} - set(self.values))
        if unknown:
            raise DatasetError(
                f"{path} holds the value {unknown[0]}, which `values` in the dataset.toml does not name."
            )
        table = np.zeros(256, np.uint8)
        for value, class_id in self.values.items():
            table[value] = class_id
        return Labels(mask=table[values])


def read_mask_pixels(path: Path) -> npt.NDArray[np.uint8]:
    """A mask picture as stored, uint8 [H, W] or BGR [H, W, 3].

    Raises:
        DatasetError: the file is missing, is no picture, or does not have 8 bits per channel.
    """
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DatasetError(
            f"mask {path} cannot be read ({error.strerror}); check that it exists and your rights."
        ) from error
    pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if pixels is None:
        raise DatasetError(f"mask {path} is not a readable picture; write it again as PNG.")
    if pixels.dtype != np.uint8:
        raise DatasetError(f"mask {path} has {pixels.dtype} values; write it as 8-bit PNG.")
    return np.asarray(pixels if pixels.ndim == 2 else pixels[..., :3], np.uint8)


def _read_single_channel(path: Path) -> npt.NDArray[np.uint8]:
    pixels = read_mask_pixels(path)
    if pixels.ndim == 2:
        return pixels
    if np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 0], pixels[..., 2]):
        return np.ascontiguousarray(pixels[..., 0])
    raise DatasetError(f'mask {path} is coloured; describe its colours with format = "colour_mask" and `colours`.')
