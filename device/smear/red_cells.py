"""Draws red cells: biconcave discs, and the flat, pale, target and slit ones among them."""

from __future__ import annotations

import numpy as np

from hemonode.device.smear.shapes import Canvas, Plane, Sprite, blob, inside, outline
from hemonode.device.smear.sites import Placed
from hemonode.device.smear.stains import Stain


def draw_red_cell(cell: Placed, stain: Stain, rng: np.random.Generator, um_per_px: float) -> Sprite:
    """The optical density of one red cell. Thickness after Evans and Fung 1972: a ring around a thin middle."""
    canvas = Canvas.around(cell.x_um, cell.y_um, 1.5 * cell.radius_um, um_per_px)
    stretch = rng.uniform(1.25, 1.6) if cell.kind == "ovalocyte" else 1 + abs(rng.normal(0, 0.13))
    relative = outline(canvas, rng, cell.radius_um, stretch=stretch, dents=0.03, orders=3)
    body = inside(relative, cell.radius_um, 0.4)
    thickness = body * _profile(cell, stain, rng, relative, canvas)
    # Refraction: a dark line just inside the edge, a bright one just outside.
    thickness += stain.outline * (_ring(relative, 0.93, 0.05) - 0.7 * _ring(relative, 1.06, 0.04))
    thickness *= np.float32(np.clip(rng.normal(1.0, 0.1), 0.7, 1.3))
    density = thickness[..., None] * stain.density(stain.red_cell)
    for _ in range(rng.poisson(stain.glints)):
        density += _glint(canvas, rng, cell.radius_um)[..., None]
    return Sprite(canvas.left, canvas.top, np.asarray(density, np.float32), body > 0.5)


def _profile(cell: Placed, stain: Stain, rng: np.random.Generator, relative: Plane, canvas: Canvas) -> Plane:
    depth = np.clip(rng.normal(stain.pallor, 0.22), 0.05, 0.95)
    width = rng.uniform(0.34, 0.56)
    steepness = rng.choice([2.0, 2.4, 4.0], p=[0.5, 0.3, 0.2])
    distance = relative
    if cell.kind == "spherocyte":
        depth = -0.12
        width, steepness = 0.7, 2.0
    elif cell.kind == "pale":
        depth, width, steepness = 0.85, 0.68, 4.0
    elif cell.kind == "stomatocyte":
        turn = rng.uniform(0, np.pi)
        along = (canvas.dx_um * np.cos(turn) + canvas.dy_um * np.sin(turn)) / cell.radius_um
        distance = np.hypot(relative, 1.6 * along)
    # The dimple is seldom quite in the middle.
    shift = rng.normal(0, 0.07, 2)
    lean = (canvas.dx_um * shift[0] + canvas.dy_um * shift[1]) / cell.radius_um
    dimple = np.exp(-((np.maximum(distance + lean, 0) / width) ** steepness))
    thickness = 1 - depth * dimple + lean
    if cell.kind == "target":
        thickness += 0.75 * np.exp(-((relative / 0.22) ** 2))
    return np.asarray(thickness, np.float32)


def _ring(relative: Plane, at: float, width: float) -> Plane:
    return np.asarray(np.exp(-(((relative - at) / width) ** 2)), np.float32)


def _glint(canvas: Canvas, rng: np.random.Generator, radius_um: float) -> Plane:
    """A drop of refractile stain on the cell: a dark ring with a bright middle."""
    angle, far = rng.uniform(0, 2 * np.pi), radius_um * np.sqrt(rng.random()) * 0.8
    x, y, size = far * np.cos(angle), far * np.sin(angle), rng.uniform(0.2, 0.5)
    ring = blob(canvas, x, y, size) - 1.25 * blob(canvas, x, y, 0.6 * size)
    return np.asarray(rng.uniform(0.3, 0.9) * ring, np.float32)
