"""Draws the five kinds of white cells: a cell body, its granules, and its nucleus."""

from __future__ import annotations

import numpy as np

from hemonode.device.smear.nuclei import NUCLEI
from hemonode.device.smear.shapes import Canvas, Plane, Sprite, blob, grain, inside, outline
from hemonode.device.smear.sites import Placed
from hemonode.device.smear.stains import Stain


def draw_white_cell(cell: Placed, stain: Stain, rng: np.random.Generator, um_per_px: float) -> Sprite:
    """The optical density of one white cell."""
    canvas = Canvas.around(cell.x_um, cell.y_um, 1.4 * cell.radius_um, um_per_px)
    dents = {"monocyte": 0.045, "basophil": 0.03}.get(cell.kind, 0.02)
    relative = outline(canvas, rng, cell.radius_um, stretch=1 + abs(rng.normal(0, 0.08)), dents=dents, orders=7)
    body = inside(relative, cell.radius_um, 0.45)
    nucleus = NUCLEI[cell.kind](canvas, rng, cell.radius_um) * inside(relative, cell.radius_um * 0.93, 0.4)
    clumps = 1 + 0.14 * grain(canvas, rng, 1.1) + 0.07 * grain(canvas, rng, 0.4)
    around = _cytoplasm(cell, stain, rng, canvas, relative)
    chromatin = np.clip(clumps, 0.5, 1.6)[..., None] * stain.density(stain.nucleus) * rng.uniform(0.9, 1.15)
    density = body[..., None] * around * (1 - 0.85 * nucleus[..., None]) + nucleus[..., None] * chromatin
    if cell.kind == "basophil":
        grains = body * _granules(canvas, rng, 0.5, -0.15)
        density = density * (1 - 0.5 * grains[..., None]) + grains[..., None] * stain.density(stain.purple)
    return Sprite(canvas.left, canvas.top, np.asarray(density, np.float32), body > 0.5)


def _cytoplasm(cell: Placed, stain: Stain, rng: np.random.Generator, canvas: Canvas, relative: Plane) -> Plane:
    """Density float32 [h, w, 3] of the cytoplasm, before the outline is cut."""
    colours = {"lymphocyte": stain.blue, "monocyte": stain.blue}
    tint = stain.density(colours.get(cell.kind, stain.pink))
    amount = 1 + 0.12 * grain(canvas, rng, 1.6) + 0.1 * grain(canvas, rng, 0.35)
    if cell.kind == "lymphocyte":
        amount = amount * (0.8 + 0.35 * relative**2)
    elif cell.kind == "monocyte":
        amount = 0.8 * amount
        for _ in range(rng.poisson(6)):
            angle, far = rng.uniform(0, 2 * np.pi), cell.radius_um * rng.uniform(0.3, 0.9)
            vacuole = blob(canvas, far * np.cos(angle), far * np.sin(angle), rng.uniform(0.2, 0.5))
            amount = amount * (1 - 0.7 * vacuole)
    elif cell.kind == "neutrophil":
        amount = amount + 0.5 * _granules(canvas, rng, 0.3, 0.9)
    density = np.clip(amount, 0.05, 3)[..., None] * tint
    if cell.kind == "eosinophil":
        density = 0.4 * density + (0.35 + 0.65 * _granules(canvas, rng, 0.5, -0.5))[..., None] * stain.density(
            stain.orange
        )
    return np.asarray(density, np.float32)


def _granules(canvas: Canvas, rng: np.random.Generator, size_um: float, sparse: float) -> Plane:
    """Grains of `size_um`, 0 to 1; the larger `sparse`, the fewer."""
    return np.asarray(1 / (1 + np.exp(np.clip(-5 * (grain(canvas, rng, size_um) - sparse), -30, 30))), np.float32)
