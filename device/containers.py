"""How picture files are put together: their format, their parts, and whether they reach their end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START_OF_SCAN = 0xDA
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
GIF_FRAME, GIF_TRAILER, _GIF_EXTENSION = 0x2C, 0x3B, 0x21
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_BMP_COMPRESSED = (1, 2, 4, 5)


def kind_of(data: bytes) -> str | None:
    """The picture format that a file's first bytes name, or None."""
    if data.startswith(PNG_SIGNATURE):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    # Two letters alone begin many a text.
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return None


def is_whole(data: bytes, kind: str) -> bool:
    """Whether a file of a known kind reaches its end: decoders fill in what is missing and say nothing.

    TIFF counts as whole, since its decoder refuses a short file.
    """
    check = _CHECKS.get(kind)
    return check is None or check(data)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, body) of each chunk up to the first that is cut or does not match its checksum."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return
        yield data[at + 4 : at + 8], data[at + 8 : end]
        at = end + 4


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, body) of each chunk of the outermost RIFF list."""
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """(marker, where its body begins) of each segment up to and including the start of the scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        yield marker, at + 4
        if marker == _JPEG_START_OF_SCAN:
            return
        at += 2 + (0 if marker in _JPEG_WITHOUT_LENGTH else int.from_bytes(data[at + 2 : at + 4], "big"))


def gif_blocks(data: bytes) -> Iterator[int]:
    """The kind of each block up to and including the trailer, or up to the first that is cut or unknown."""
    at = 13 + _colour_table_bytes(data, 10)
    while at < len(data):
        block = data[at]
        if block == GIF_TRAILER:
            yield block
            return
        if block == _GIF_EXTENSION:
            at += 2
        elif block == GIF_FRAME and at + 9 < len(data):
            at += 11 + _colour_table_bytes(data, at + 9)
        else:
            return
        while at < len(data) and data[at]:
            at += 1 + data[at]
        if at < len(data):
            yield block
        at += 1


def _png_is_whole(data: bytes) -> bool:
    return any(name == b"IEND" for name, _ in png_chunks(data))


def _jpeg_is_whole(data: bytes) -> bool:
    # Segments are walked, since a thumbnail inside one has an end marker of its own; in the scan after them an end
    # marker cannot be anything else.
    return any(
        marker == _JPEG_START_OF_SCAN and data.find(b"\xff\xd9", body) >= 0 for marker, body in jpeg_segments(data)
    )


def _gif_is_whole(data: bytes) -> bool:
    return GIF_TRAILER in gif_blocks(data)


def _colour_table_bytes(gif: bytes, at: int) -> int:
    """Length of the colour table that the flags at `at` announce."""
    flags = gif[at] if at < len(gif) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp_is_whole(data: bytes) -> bool:
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def bmp_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a BMP; the oldest header has 16 bits for each."""
    if int.from_bytes(data[14:18], "little") == _BMP_HEADERS[0]:
        return int.from_bytes(data[18:20], "little"), int.from_bytes(data[20:22], "little")
    return int.from_bytes(data[18:22], "little"), abs(int.from_bytes(data[22:26], "little", signed=True))


def _bmp_is_whole(data: bytes) -> bool:
    oldest = int.from_bytes(data[14:18], "little") == _BMP_HEADERS[0]
    start, packing = int.from_bytes(data[10:14], "little"), int.from_bytes(data[30:34], "little")
    if not oldest and packing in _BMP_COMPRESSED:
        return True
    width, height = bmp_size(data)
    bits = int.from_bytes(data[24:26] if oldest else data[28:30], "little")
    return len(data) >= start + (width * bits + 31) // 32 * 4 * height > start


_CHECKS = {
    "PNG": _png_is_whole,
    "JPEG": _jpeg_is_whole,
    "GIF": _gif_is_whole,
    "WebP": _webp_is_whole,
    "BMP": _bmp_is_whole,
}
