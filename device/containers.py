"""Whether a picture file is whole: decoders fill in what is missing and say nothing."""

from __future__ import annotations

import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START_OF_SCAN = 0xDA
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


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
    if data.startswith(b"BM"):
        return "BMP"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "AVIF"
    if data[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7"):
        return "PNM"
    if data.startswith((b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51")):
        return "JPEG 2000"
    return None


def is_whole(data: bytes, kind: str) -> bool:
    """Whether a file of a known kind reaches its end; formats whose decoders refuse a short file count as whole."""
    check = _CHECKS.get(kind)
    return check is None or check(data)


def _png_is_whole(data: bytes) -> bool:
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        if name == b"IEND":
            return True
        at = end + 4
    return False


def _jpeg_is_whole(data: bytes) -> bool:
    # Segments are walked, since a thumbnail inside one has an end marker of its own; in the scan after them an end
    # marker cannot be anything else.
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = 0 if marker in _JPEG_WITHOUT_LENGTH else int.from_bytes(data[at + 2 : at + 4], "big")
        at += 2 + length
        if marker == _JPEG_START_OF_SCAN:
            return data.find(b"\xff\xd9", at) >= 0
    return False


def _gif_is_whole(data: bytes) -> bool:
    return data.rstrip(b"\x00").endswith(b"\x3b")


def _riff_is_whole(data: bytes) -> bool:
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _bmp_is_whole(data: bytes) -> bool:
    if len(data) < 30:
        return False
    start = int.from_bytes(data[10:14], "little")
    width = int.from_bytes(data[18:22], "little", signed=True)
    height = abs(int.from_bytes(data[22:26], "little", signed=True))
    bits, packing = int.from_bytes(data[28:30], "little"), int.from_bytes(data[30:34], "little")
    compressed = packing in (1, 2, 4, 5)
    row = (width * bits + 31) // 32 * 4
    return compressed or len(data) >= start + row * height


_CHECKS = {
    "PNG": _png_is_whole,
    "JPEG": _jpeg_is_whole,
    "GIF": _gif_is_whole,
    "WebP": _riff_is_whole,
    "BMP": _bmp_is_whole,
}
