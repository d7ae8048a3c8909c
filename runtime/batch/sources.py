"""What `hemonode run` works on: a picture, a folder, a glob or a video, as named items one after another."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.device.pictures import PICTURE_SUFFIXES, read_picture
from hemonode.errors import PictureError

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})


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


@dataclass(frozen=True)
class VideoFrame:
    """One frame of a video, already decoded."""

    name: str
    path: Path
    pixels: npt.NDArray[np.uint8]

    def read(self) -> npt.NDArray[np.uint8]:
        """uint8 [H, W, 3] BGR."""
        return self.pixels


Item = PictureItem | VideoFrame


def is_video(source: str) -> bool:
    """Whether a source is a video file, by its name."""
    return Path(source).suffix.lower() in VIDEO_SUFFIXES and Path(source).is_file()


def list_pictures(source: str, out: Path) -> list[PictureItem]:
    """The pictures that a source names, in natural order; what lies in the output folder is never among them.

    Raises:
        PictureError: nothing there, no rights, or no pictures.
    """
    path = Path(source)
    if path.is_dir():
        found = _in_folder(path)
        if not found:
            raise PictureError(f"the folder {path} holds no pictures: give one with JPEG, PNG, TIFF, BMP, GIF or WebP")
    elif path.exists():
        found = [path]
    else:
        matches = glob.glob(source, recursive=True)  # noqa: PTH207  (Path.glob refuses absolute patterns)
        found = [Path(match) for match in matches if Path(match).is_file()]
        if not found:
            raise PictureError(f"there is no picture, folder or video {source}: check the path")
    inside = out.resolve()
    kept = [file for file in found if not file.resolve().is_relative_to(inside)]
    if not kept:
        raise PictureError(f"all pictures of {source} lie in the output folder {out}: choose another one")
    return _named(sorted(kept, key=_natural))


def read_video(path: Path, every: int) -> Iterator[VideoFrame]:
    """Every n-th frame of a video.

    Raises:
        PictureError: it cannot be opened, or ends before its first frame.
    """
    capture = cv2.VideoCapture(str(path))
    try:
        number = 0
        while True:
            done, pixels = capture.read()
            if not done:
                break
            if number % every == 0:
                yield VideoFrame(f"{path.stem}_{number:06d}", path, np.asarray(pixels, np.uint8))
            number += 1
        if number == 0:
            raise PictureError(f"{path} cannot be read as a video: it may be damaged; convert it to MP4 (H.264)")
    finally:
        capture.release()


def _in_folder(folder: Path) -> list[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise PictureError(f"the folder {folder} cannot be read ({error.strerror}): check its permissions") from error
    return [
        Path(entry.path) for entry in entries if entry.is_file() and Path(entry.name).suffix.lower() in PICTURE_SUFFIXES
    ]


def _named(files: list[Path]) -> list[PictureItem]:
    """The stem where it is unique; else the stem with the suffix, and a number where that is not enough."""
    stems = Counter(file.stem for file in files)
    taken: set[str] = set()
    items = []
    for file in files:
        base = file.stem if stems[file.stem] == 1 else f"{file.stem}-{file.suffix.lstrip('.').lower()}"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        items.append(PictureItem(name, file))
    return items


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which 2.png comes before 10.png."""
    parts = re.split(r"(\d+)", str(path))
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]
