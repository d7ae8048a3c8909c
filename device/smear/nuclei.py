"""Draws the nuclei by which the five kinds of white cells are told apart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from hemonode.device.smear.shapes import Canvas, Plane, blob, grain, inside, outline

Nucleus = Callable[[Canvas, np.random.Generator, float], Plane]


def _lobes(canvas: Canvas, rng: np.random.Generator, spots: list[tuple[float, float, float]]) -> Plane:
    """Blobs (x, y, radius in µm) melted together where they meet, with an uneven edge."""
    field = np.zeros_like(canvas.dx_um)
    for x, y, radius in spots:
        field += blob(canvas, x, y, radius) ** 2 * 2
    field += 0.05 * grain(canvas, rng, 1.5)
    return np.asarray(1 / (1 + np.exp(np.clip(-9 * (field - 0.5), -30, 30))), np.float32)


def _along_arc(
    rng: np.random.Generator, count: int, bend_um: float, spread: float, lobe_um: float
) -> list[tuple[float, float, float]]:
    """Lobes on an arc, and thin bridges between them."""
    start = rng.uniform(0, 2 * np.pi)
    angles = start + spread * (np.arange(count) + rng.uniform(-0.15, 0.15, count)) / max(count - 1, 1)
    far = bend_um * rng.uniform(0.8, 1.15, count)
    spots = [
        (float(d * np.cos(a)), float(d * np.sin(a)), float(lobe_um * rng.uniform(0.85, 1.2)))
        for a, d in zip(angles, far, strict=True)
    ]
    bridges = [((ax + bx) / 2, (ay + by) / 2, 0.4 * lobe_um) for (ax, ay, _), (bx, by, _) in pairwise(spots)]
    return spots + bridges


def _neutrophil(canvas: Canvas, rng: np.random.Generator, radius_um: float) -> Plane:
    count = int(rng.integers(3, 6))
    return _lobes(
        canvas, rng, _along_arc(rng, count, 0.52 * radius_um, rng.uniform(3.6, 4.8), 0.9 * radius_um / count**0.8)
    )


def _eosinophil(canvas: Canvas, rng: np.random.Generator, radius_um: float) -> Plane:
    return _lobes(canvas, rng, _along_arc(rng, 2, 0.45 * radius_um, rng.uniform(1.9, 2.8), 0.36 * radius_um))


def _lymphocyte(canvas: Canvas, rng: np.random.Generator, radius_um: float) -> Plane:
    size_um = radius_um * rng.uniform(0.8, 0.9)
    relative = outline(canvas, rng, size_um, stretch=rng.uniform(1.0, 1.15), dents=0.02)
    return inside(relative, size_um, 0.4)


def _monocyte(canvas: Canvas, rng: np.random.Generator, radius_um: float) -> Plane:
    """A kidney: a thick bow of overlapping blobs."""
    spots = _along_arc(rng, 6, 0.45 * radius_um, rng.uniform(2.6, 3.8), 0.31 * radius_um)
    return _lobes(canvas, rng, spots[:6])


def _basophil(canvas: Canvas, rng: np.random.Generator, radius_um: float) -> Plane:
    return 0.75 * _lobes(canvas, rng, _along_arc(rng, 3, 0.35 * radius_um, 3.5, 0.42 * radius_um))


NUCLEI: dict[str, Nucleus] = {
    "neutrophil": _neutrophil,
    "lymphocyte": _lymphocyte,
    "monocyte": _monocyte,
    "eosinophil": _eosinophil,
    "basophil": _basophil,
}
