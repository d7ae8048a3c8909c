"""Read a picture file of any usual kind as one 8-bit colour picture, or say what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.device.containers import is_whole, kind_of
from hemonode.device.picture_header import exif_orientation, frame_count, picture_size
from hemonode.errors import PictureError

Pixels = npt.NDArray[np.uint8]

# Our sentence says what is wrong with a file; the decoders would print theirs beside it.
# OpenCV 4.8, which is JetPack's, has the function at its top, later ones in a module of its own.
_set_log_level = cv2.utils.logging.setLogLevel if hasattr(cv2.utils, "logging") else vars(cv2)["setLogLevel"]
_SILENT = 0
_set_log_level(_SILENT)

PICTURE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""What is taken for a picture in a folder, in lower case."""

LARGEST_PIXELS = 400_000_000
"""Larger pictures are refused before they are decoded: some files of a few bytes claim sizes that fill the memory."""

_LARGEST_BYTES = 8 * LARGEST_PIXELS + (1 << 20)
"""What the largest picture takes in the most spacious form, 16-bit RGBA without compression."""

_BIT_DEPTHS = (8, 10, 12, 14, 16)
"""Depths of camera sensors, which store their values in 16 bits as they are."""


def read_picture(path: Path) -> Pixels:
    """The picture in a file, upright.

    Grey becomes colour; palettes are resolved; CMYK is converted; transparency is put on white; the EXIF orientation
    is applied; of an animation or a file of several pages the first is taken (`count_frames` tells). 16-bit values
    are scaled by the least of 8, 10, 12, 14 and 16 bits that holds the largest of them, floating point by 1 → 255.

    Args:
        path: JPEG, PNG, TIFF, BMP, GIF or WebP, recognised by content, not by name.

    Returns:
        uint8 [H, W, 3] BGR.

    Raises:
        PictureError: missing, unreadable, empty, not a picture, truncated, damaged or larger than `LARGEST_PIXELS`.
    """
    data = _read_bytes(path)
    if not data:
        raise PictureError(f"{path} is empty (0 bytes): copy it again from where it came from")
    kind = kind_of(data)
    if kind is None:
        raise PictureError(f"{path} is not a picture, whatever its name says: give a JPEG, PNG, TIFF, BMP, GIF or WebP")
    if not is_whole(data, kind):
        raise PictureError(f"{path} is a truncated or damaged {kind}: copy it again from where it came from")
    width, height = picture_size(data, kind) or (0, 0)
    if width * height > LARGEST_PIXELS:
        raise PictureError(
            f"{path} claims {width}×{height} px, more than {LARGEST_PIXELS // 10**6} megapixels: cut it into parts"
        )
    raw = _decode(data, path, kind)
    premultiplied = kind == "TIFF" and raw.dtype == np.uint8  # libtiff multiplies 8-bit colours by their opacity
    return _to_colour(_to_eight_bits(raw, path), premultiplied=premultiplied)


def count_frames(path: Path) -> int:
    """How many frames of an animation, or pages, a picture file holds; at least 1.

    Raises:
        PictureError: missing or unreadable.
    """
    data = _read_bytes(path)
    return frame_count(data, kind_of(data) or "unknown")


def _read_bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise PictureError(f"{path} is not a file: give a picture")
        if path.stat().st_size > _LARGEST_BYTES:
            raise PictureError(f"{path} is larger than {_LARGEST_BYTES / 1e9:.1f} GB: cut the picture into parts")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PictureError(f"there is no file {path}: check the path") from error
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}): check its permissions") from error


def _decode(data: bytes, path: Path, kind: str) -> npt.NDArray[np.generic]:
    # JPEG and BMP have neither transparency nor depth to keep, and only this flag turns a JPEG upright and takes the
    # oldest BMPs for coloured. TIFF comes upright with either.
    flag = cv2.IMREAD_COLOR if kind in ("JPEG", "BMP") else cv2.IMREAD_UNCHANGED
    try:
        raw = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error as error:
        reason = str(error.err).strip() or "unknown reason"
        raise PictureError(f"{path} cannot be decoded as {kind} ({reason}): convert it to PNG") from error
    if raw is None:
        raise PictureError(f"{path} is a {kind} that cannot be decoded: it may be damaged; convert it to PNG")
    if kind in ("PNG", "WebP"):
        return _upright(np.asarray(raw), exif_orientation(data, kind))
    return np.asarray(raw)


def _upright(raw: npt.NDArray[np.generic], orientation: int) -> npt.NDArray[np.generic]:
    """Undo an EXIF orientation (CIPA DC-008, tag 0x0112)."""
    if orientation >= 5:
        raw = raw.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        raw = raw[::-1]
    if orientation in (2, 3, 6, 7):
        raw = raw[:, ::-1]
    return np.ascontiguousarray(raw)


def _to_eight_bits(raw: npt.NDArray[np.generic], path: Path) -> Pixels:
    if raw.dtype == np.uint8:
        return raw.astype(np.uint8, copy=False)
    if raw.dtype == np.uint16:
        return _from_sixteen_bits(raw.astype(np.uint16, copy=False))
    if raw.dtype in (np.float32, np.float64):
        return _from_floating_point(raw.astype(np.float32), path)
    raise PictureError(f"{path} holds {raw.dtype} values: convert it to 8 or 16 bits per channel")


def _from_sixteen_bits(raw: npt.NDArray[np.uint16]) -> Pixels:
    colours = raw[..., :3] if raw.ndim == 3 and raw.shape[2] == 4 else raw
    depth = next(bits for bits in _BIT_DEPTHS if int(colours.max()) < 1 << bits)
    full = (1 << depth) - 1
    scaled = np.minimum((np.arange(1 << 16) * 255 + full // 2) // full, 255).astype(np.uint8)[raw]
    if colours is not raw:
        scaled[..., 3] = raw[..., 3] // 257  # opacity is a share of the full range, whatever the camera's depth
    return scaled


def _from_floating_point(raw: npt.NDArray[np.float32], path: Path) -> Pixels:
    if not np.isfinite(raw).all():
        raise PictureError(f"{path} holds values that are not finite numbers: convert it to 8 or 16 bits per channel")
    low, high = float(raw.min()), float(raw.max())
    if low < -0.01 or high > 1.01:
        raise PictureError(
            f"{path} holds floating-point values from {low:.4g} to {high:.4g} where 0 to 1 is expected: "
            f"convert it to 8 or 16 bits per channel"
        )
    return np.round(np.clip(raw, 0, 1) * 255).astype(np.uint8)


def _to_colour(pixels: Pixels, *, premultiplied: bool) -> Pixels:
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
    if pixels.shape[2] == 3:
        return pixels
    colours, opacity = pixels[..., :3], pixels[..., 3:].astype(np.uint16)
    if premultiplied:
        return np.asarray(np.minimum(colours + (255 - opacity), 255), np.uint8)
    return np.asarray((colours * opacity + 255 * (255 - opacity) + 127) // 255, np.uint8)
