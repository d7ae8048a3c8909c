"""Read a picture file of any usual kind as one 8-bit colour picture, or say what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.device.containers import is_whole, kind_of
from hemonode.errors import PictureError

Pixels = npt.NDArray[np.uint8]

# Our sentence says what is wrong with a file; the decoders would print theirs beside it.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

PICTURE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""What is taken for a picture in a folder, in lower case."""


def read_picture(path: Path) -> Pixels:
    """The picture in a file, upright.

    Grey becomes colour; palettes are resolved; CMYK is converted; transparency is put on white; 16 bits are scaled
    by their full range (65535 → 255) and floating point by 1 → 255; the EXIF orientation is applied; of an animation
    or a file of several pages the first is taken.

    Args:
        path: JPEG, PNG, TIFF, BMP, GIF or WebP, recognised by content, not by name.

    Returns:
        uint8 [H, W, 3] BGR.

    Raises:
        PictureError: missing, unreadable, empty, not a picture, truncated or damaged.
    """
    data = _read_bytes(path)
    if not data:
        raise PictureError(f"{path} is empty (0 bytes): copy it again from where it came from")
    kind = kind_of(data)
    if kind is None:
        raise PictureError(f"{path} is not a picture, whatever its name says: give a JPEG, PNG, TIFF, BMP, GIF or WebP")
    if not is_whole(data, kind):
        raise PictureError(f"{path} is a truncated or damaged {kind}: copy it again from where it came from")
    return _decode(data, path, kind)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PictureError(f"there is no file {path}: check the path") from error
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}): check its permissions") from error


def _decode(data: bytes, path: Path, kind: str) -> Pixels:
    buffer = np.frombuffer(data, np.uint8)
    try:
        raw = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        if raw is not None and raw.dtype == np.uint8 and (raw.ndim == 2 or raw.shape[2] == 3):
            # Decoded once more: only this flag turns pictures upright, and it would drop transparency and depth.
            raw = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    except cv2.error as error:
        reason = str(error.err).strip() or "unknown reason"
        raise PictureError(f"{path} cannot be decoded as {kind} ({reason}): convert it to PNG") from error
    if raw is None:
        raise PictureError(f"{path} is a {kind} that cannot be decoded: it may be damaged; convert it to PNG")
    return _to_colour(_to_eight_bits(np.asarray(raw), path))


def _to_eight_bits(raw: npt.NDArray[np.generic], path: Path) -> Pixels:
    if raw.dtype == np.uint8:
        return raw.astype(np.uint8, copy=False)
    if raw.dtype == np.uint16:
        return ((raw.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if raw.dtype in (np.float32, np.float64):
        finite = np.nan_to_num(raw.astype(np.float32), posinf=1.0, neginf=0.0)
        return np.round(np.clip(finite, 0, 1) * 255).astype(np.uint8)
    raise PictureError(f"{path} holds {raw.dtype} values: convert it to 8 or 16 bits per channel")


def _to_colour(pixels: Pixels) -> Pixels:
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
    if pixels.shape[2] == 3:
        return pixels
    if pixels.shape[2] == 2:
        grey = cv2.cvtColor(np.ascontiguousarray(pixels[..., 0]), cv2.COLOR_GRAY2BGR)
        return _on_white(np.asarray(grey, np.uint8), pixels[..., 1])
    return _on_white(pixels[..., :3], pixels[..., 3])


def _on_white(colour: Pixels, opacity: Pixels) -> Pixels:
    share = opacity[..., None].astype(np.uint16)
    return ((colour.astype(np.uint16) * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)
