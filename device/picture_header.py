"""What a picture file says of itself before it is decoded: size, orientation, number of frames."""

from __future__ import annotations

from typing import Literal

from hemonode.device.containers import GIF_FRAME, bmp_size, gif_blocks, jpeg_segments, png_chunks, webp_chunks

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WIDTH, _HEIGHT, _ORIENTATION = 0x100, 0x101, 0x112
_TYPE_BYTES = {3: 2, 4: 4, 16: 8}
"""TIFF's types of whole numbers: short, long, and BigTIFF's long."""


def picture_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """(width, height) in pixels as the header states them, or None where it states none."""
    if kind == "PNG":
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if kind == "GIF":
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if kind == "BMP":
        return bmp_size(data)
    if kind == "JPEG":
        return _jpeg_size(data)
    if kind == "WebP":
        return _webp_size(data)
    tiff = _Tiff(data)
    tags = tiff.tags(tiff.first)
    return (tags[_WIDTH], tags[_HEIGHT]) if _WIDTH in tags and _HEIGHT in tags else None


def exif_orientation(data: bytes, kind: str) -> int:
    """The EXIF orientation of a PNG or WebP, 1 to 8; 1 (upright) where it has none."""
    name, chunks = (b"eXIf", png_chunks) if kind == "PNG" else (b"EXIF", webp_chunks)
    for found, body in chunks(data):
        if found == name:
            tiff = _Tiff(body.removeprefix(b"Exif\x00\x00"))
            orientation = tiff.tags(tiff.first).get(_ORIENTATION, 1)
            return orientation if 1 <= orientation <= 8 else 1
    return 1


def frame_count(data: bytes, kind: str) -> int:
    """How many frames of an animation, or pages, a file holds; at least 1."""
    if kind == "PNG":
        counts = [int.from_bytes(body[:4], "big") for name, body in png_chunks(data) if name == b"acTL"]
    elif kind == "WebP":
        counts = [sum(name == b"ANMF" for name, _ in webp_chunks(data))]
    elif kind == "GIF":
        counts = [sum(block == GIF_FRAME for block in gif_blocks(data))]
    elif kind == "TIFF":
        counts = [_count_pages(_Tiff(data))]
    else:
        counts = []
    return max([1, *counts])


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    for marker, body in jpeg_segments(data):
        if marker in _START_OF_FRAME:
            return int.from_bytes(data[body + 3 : body + 5], "big"), int.from_bytes(data[body + 1 : body + 3], "big")
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    name, body = next(webp_chunks(data), (b"", b""))
    if name == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None


class _Tiff:
    """The directories of a TIFF, BigTIFF or EXIF block."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
        self._big = self._number(2, 2) == 43
        self.first = self._number(8, 8) if self._big else self._number(4, 4)

    def tags(self, at: int) -> dict[int, int]:
        """The first value of each tag of the directory at `at`."""
        counted, entry, pointer = (8, 20, 8) if self._big else (2, 12, 4)
        tags = {}
        for index in range(self._entries(at)):
            here = at + counted + index * entry
            size = _TYPE_BYTES.get(self._number(here + 2, 2), 4)
            tags[self._number(here, 2)] = self._number(here + 4 + pointer, size)
        return tags

    def next(self, at: int) -> int:
        """Where the next directory begins; 0 after the last."""
        counted, entry, pointer = (8, 20, 8) if self._big else (2, 12, 4)
        return self._number(at + counted + self._entries(at) * entry, pointer)

    def _entries(self, at: int) -> int:
        return min(self._number(at, 8 if self._big else 2), 4096)

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._data[at : at + size], self._order)


def _count_pages(tiff: _Tiff) -> int:
    seen: set[int] = set()  # a damaged chain may bite its tail
    at = tiff.first
    while at and at not in seen:
        seen.add(at)
        at = tiff.next(at)
    return len(seen)
