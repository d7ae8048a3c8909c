"""Finds pictures that show the same: the same pixels, turned or mirrored too, and overlapping views of one field."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

THUMBNAIL_PX = 48
LEAST_OVERLAP = 0.5
LEAST_CORRELATION = 0.7
"""Among 1000 single-cell pictures: half of the repeated views reach it, no two different views do (at most .68)."""


def pixel_hash(pixels: Pixels) -> str:
    """A hash of the pixels that is the same for the eight ways to turn and mirror a picture."""
    ways = (np.rot90(side, quarter) for side in (pixels, pixels[:, ::-1]) for quarter in range(4))
    return min(hashlib.sha256(repr(way.shape).encode() + way.tobytes()).hexdigest() for way in ways)


def thumbnail(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Float32 [48, 48]: a small grey picture without its slow changes of light, of standard deviation 1."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.float32)
    small = cv2.resize(grey, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    detail = small - cv2.GaussianBlur(small, (0, 0), THUMBNAIL_PX / 12)
    return np.asarray(detail / max(float(detail.std()), 1e-3), np.float32)


def overlapping_views(
    thumbnails: npt.NDArray[np.float32], apart: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, int, float]]:
    """Pairs of pictures that agree when one is shifted over the other, by at most half of its area.

    Finds views of one zoom, orientation and focus; other repeats need a closer look than this one.

    Args:
        thumbnails: float32 [n, 48, 48].
        apart: bool [n, n], which pairs to look at; only those above the diagonal count.

    Yields:
        Index of both pictures and their correlation (−1 to 1) where they overlap.
    """
    size = (2 * THUMBNAIL_PX,) * 2
    window = np.fft.rfft2(np.ones((THUMBNAIL_PX,) * 2, np.float32), size)
    overlap = np.fft.irfft2(window.conj() * window, size)
    possible = overlap >= LEAST_OVERLAP * THUMBNAIL_PX**2
    spectra = np.fft.rfft2(thumbnails, size).astype(np.complex64)
    squares = np.fft.rfft2(thumbnails**2, size).astype(np.complex64)
    energies_moved = np.fft.irfft2(window.conj() * squares, size)[:, possible].astype(np.float32)
    for first in range(len(thumbnails)):
        others = np.flatnonzero(apart[first, first + 1 :]) + first + 1
        if not len(others):
            continue
        products = np.fft.irfft2(spectra[first].conj() * spectra[others], size)[:, possible]
        energy = np.fft.irfft2(squares[first].conj() * window, size)[possible]
        correlation = products / np.sqrt(np.maximum(energy * energies_moved[others], 1e-3))
        best = correlation.max(axis=1)
        for place in np.flatnonzero(best >= LEAST_CORRELATION):
            yield first, int(others[place]), float(best[place])
