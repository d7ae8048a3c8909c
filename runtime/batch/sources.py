"""What `hemonode run` works on: a picture, a folder, a glob or a video, as named items one after another."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemonode.device.pictures import PICTURE_SUFFIXES, count_frames, read_picture
from hemonode.errors import PictureError
from hemonode.runtime.batch.names import natural_key, result_names
from hemonode.runtime.batch.outputs import is_result
from hemonode.runtime.batch.video import VideoFrame, is_video, open_video

_KINDS = "JPEG, PNG, TIFF, BMP, GIF or WebP"


@dataclass(frozen=True)
class PictureItem:
    """One picture file. `name` is unique in the batch, and names its results."""

    name: str
    path: Path

    def read(self) -> npt.NDArray[np.uint8]:
        """uint8 [H, W, 3] BGR.

        Raises:
            PictureError: see `read_picture`.
        """
        return read_picture(self.path)

    def note(self) -> str:
        """What a person should know of how it was read; empty where there is nothing."""
        frames = count_frames(self.path)
        return f"only the first of {frames} frames or pages was read" if frames > 1 else ""


Item = PictureItem | VideoFrame


@dataclass(frozen=True)
class Source:
    """The items of a batch, and how many are expected; None where that cannot be told."""

    items: Iterable[Item]
    expected: int | None


def open_source(source: str, every: int) -> Source:
    """What a source names: pictures in natural order, or every n-th frame of a video.

    Results of earlier runs (masks, overlays, thumbnails) are never among them.

    Raises:
        PictureError: nothing there, no rights, or no pictures.
    """
    try:
        if is_video(source):
            frames, expected = open_video(Path(source), every)
            return Source(frames, expected)
        files = _find(source)
    except OSError as error:
        raise PictureError(f"{source} cannot be read ({error.strerror}): check its permissions") from error
    pictures = sorted((file for file in files if not is_result(file)), key=natural_key)
    if not pictures:
        raise PictureError(f"{source} holds only results of an earlier run: give the pictures themselves")
    items = [PictureItem(name, file) for name, file in zip(result_names(pictures), pictures, strict=True)]
    return Source(items, len(items))


def _find(source: str) -> list[Path]:
    path = Path(source)
    if path.is_dir():
        found = [Path(entry.path) for entry in os.scandir(path) if not entry.is_dir() and _is_picture(entry.name)]
        if not found:
            raise PictureError(
                f"the folder {path} holds no pictures: give one with {_KINDS}, or a quoted glob "
                f"('{path / '**' / '*.png'}') where they lie deeper"
            )
        return found
    if path.exists():
        return [path]
    matches = [Path(match) for match in glob.glob(source, recursive=True)]  # noqa: PTH207  (Path.glob: no absolute ones)
    if not matches:
        raise PictureError(f"there is no picture, folder or video {source}: check the path")
    found = [match for match in matches if not match.is_dir() and _is_picture(match.name)]
    if not found:
        raise PictureError(f"no file that {source} matches is a picture: give {_KINDS}")
    return found


def _is_picture(name: str) -> bool:
    """By its name. Hidden files are none: macOS leaves a ._NAME.jpg without a picture beside every NAME.jpg."""
    return Path(name).suffix.lower() in PICTURE_SUFFIXES and not name.startswith(".")
