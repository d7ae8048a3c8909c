"""Draws platelets: small, ragged, with purple granules in the middle."""

from __future__ import annotations

import numpy as np

from hemonode.device.smear.shapes import Canvas, Sprite, grain, inside, outline
from hemonode.device.smear.sites import Placed
from hemonode.device.smear.stains import Stain


def draw_platelet(cell: Placed, stain: Stain, rng: np.random.Generator, um_per_px: float) -> Sprite:
    """The optical density of one platelet."""
    canvas = Canvas.around(cell.x_um, cell.y_um, 1.7 * cell.radius_um, um_per_px)
    relative = outline(canvas, rng, cell.radius_um, stretch=1 + abs(rng.normal(0, 0.25)), dents=0.11)
    body = inside(relative, cell.radius_um, 0.4)
    middle = np.exp(-((relative / 0.7) ** 2))
    granules = np.clip(grain(canvas, rng, 0.35) + 0.3, 0, 2)
    amount = body * (0.45 + 0.55 * middle) * (0.75 + 0.45 * granules) * rng.uniform(0.8, 1.25)
    return Sprite(
        canvas.left, canvas.top, np.asarray(amount[..., None] * stain.density(stain.platelet), np.float32), body > 0.5
    )
