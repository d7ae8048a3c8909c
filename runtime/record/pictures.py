"""A field's picture and mask as files.

The picture is an OME-TIFF: Fiji, QuPath, napari and Python open it with its scale, which they do not read from a PNG.
The mask is a PNG of class ids, as `hemonode run` writes it. Both are lossless.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from hemonode.runtime.atomic import write_atomically
from hemonode.runtime.plans.files import sync

Pixels = npt.NDArray[np.uint8]

_UM_PER_CM = 1e4
# With differences of neighbours, zlib's fastest level is as small as its usual one without, in a tenth of the time.
_ZLIB_LEVEL = 1
_PNG_LEVEL = 1


def encode_picture(pixels: Pixels, um_per_px: float | None, *, description: str) -> bytes:
    """An OME-TIFF.

    Args:
        pixels: uint8 [H, W, 3] BGR.
        um_per_px: its scale; None writes none, and programs show pixels.
        description: for a person who opens it elsewhere.
    """
    metadata: dict[str, object] = {"axes": "YXS", "Description": description}
    per_cm = None
    if um_per_px is not None:
        for axis in ("X", "Y"):
            metadata |= {f"PhysicalSize{axis}": um_per_px, f"PhysicalSize{axis}Unit": "µm"}
        # For programs that read TIFF but not OME, ImageJ without Bio-Formats among them.
        per_cm = _UM_PER_CM / um_per_px
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)),
        ome=True,
        photometric="rgb",
        compression="zlib",
        compressionargs={"level": _ZLIB_LEVEL},
        predictor=True,
        software="hemonode",
        metadata=metadata,
        resolution=None if per_cm is None else (per_cm, per_cm),
        resolutionunit=None if per_cm is None else "CENTIMETER",
    )
    return file.getvalue()


def encode_png(pixels: Pixels) -> bytes:
    """A PNG of uint8 [H, W] or [H, W, 3] BGR."""
    _, data = cv2.imencode(".png", pixels, (cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL))
    return bytes(data)


def write_pair(picture: tuple[Path, bytes], mask: tuple[Path, bytes]) -> int:
    """Bring picture and mask to the disk itself, in a folder that is made where it is missing. Returns their bytes.

    Raises:
        OSError: the disk takes them not; neither is left behind.
    """
    folder = picture[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for path, data in (picture, mask):
            write_atomically(path, data, durable=True)
        sync(folder)
    except OSError:
        remove_pair(picture[0], mask[0])
        raise
    return len(picture[1]) + len(mask[1])


def remove_pair(picture: Path, mask: Path) -> None:
    """Delete both, where they are there."""
    for path in (picture, mask):
        path.unlink(missing_ok=True)


def read_picture(path: Path) -> Pixels:
    """uint8 [H, W, 3] BGR.

    Raises:
        OSError: it is not there.
        ValueError: it is not what we wrote.
    """
    pixels = tifffile.imread(path)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"{path.name} is no colour picture")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)


def read_mask(path: Path) -> Pixels:
    """uint8 [H, W], class ids.

    Raises:
        OSError: it is not there.
        ValueError: it is no picture.
    """
    mask = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if mask is None or mask.ndim != 2:
        raise ValueError(f"{path.name} is no mask")
    return np.asarray(mask, np.uint8)
