"""What a picture file says of itself before it is decoded: its size, and which way up it was taken."""

from __future__ import annotations

from typing import Literal

from hemonode.device.containers import bmp_size, jpeg_segments, png_chunks, webp_chunks

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
    tags = _first_directory(data)
    return (tags[_WIDTH], tags[_HEIGHT]) if _WIDTH in tags and _HEIGHT in tags else None


def exif_orientation(data: bytes, kind: str) -> int:
    """The EXIF orientation of a PNG or WebP, 1 to 8; 1 (upright) where it has none."""
    name, chunks = (b"eXIf", png_chunks) if kind == "PNG" else (b"EXIF", webp_chunks)
    for found, body in chunks(data):
        if found == name:
            orientation = _first_directory(body.removeprefix(b"Exif\x00\x00")).get(_ORIENTATION, 1)
            return orientation if 1 <= orientation <= 8 else 1
    return 1


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


def _first_directory(tiff: bytes) -> dict[int, int]:
    """Tags and first values of a TIFF's (or BigTIFF's, or EXIF's) first directory."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    big = number(2, 2) == 43
    start, counted, entry, pointer = (number(8, 8), 8, 20, 8) if big else (number(4, 4), 2, 12, 4)
    tags = {}
    for index in range(min(number(start, counted), 4096)):
        at = start + counted + index * entry
        size = _TYPE_BYTES.get(number(at + 2, 2), 4)
        tags[number(at, 2)] = number(at + 4 + pointer, size)
    return tags
