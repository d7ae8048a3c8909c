"""Outlines and textures that cells are drawn with."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Canvas:
    """The pixels around one cell.

    Attributes:
        left, top: px of the smear at which the canvas begins.
        dx_um, dy_um: float32 [h, w], distance of each pixel from the cell's centre.
        um_per_px: micrometres per pixel.
    """

    left: int
    top: int
    dx_um: Plane
    dy_um: Plane
    um_per_px: float

    @classmethod
    def around(cls, x_um: float, y_um: float, reach_um: float, um_per_px: float) -> Canvas:
        """A square canvas that reaches at least `reach_um` from the centre."""
        half = int(np.ceil(reach_um / um_per_px)) + 1
        left, top = round(x_um / um_per_px) - half, round(y_um / um_per_px) - half
        span = np.arange(2 * half + 1) + 0.5
        dx, dy = np.meshgrid((span + left) * um_per_px - x_um, (span + top) * um_per_px - y_um)
        return cls(left, top, dx.astype(np.float32), dy.astype(np.float32), um_per_px)


@dataclass(frozen=True)
class Sprite:
    """One drawn cell: optical density float32 [h, w, 3] (BGR) and body bool [h, w], at (left, top) of the smear."""

    left: int
    top: int
    density: Plane
    body: npt.NDArray[np.bool_]


def outline(
    canvas: Canvas, rng: np.random.Generator, radius_um: float, *, stretch: float, dents: float, orders: int = 6
) -> Plane:
    """Relative distance from the centre: 0 there, 1 on a closed uneven outline, above 1 outside.

    Args:
        canvas: where to draw.
        rng: chance.
        radius_um: mean radius.
        stretch: long axis over short axis, at least 1.
        dents: size of the waves on the outline relative to the radius.
        orders: number of waves.
    """
    turn = rng.uniform(0, np.pi)
    along = canvas.dx_um * np.cos(turn) + canvas.dy_um * np.sin(turn)
    across = canvas.dy_um * np.cos(turn) - canvas.dx_um * np.sin(turn)
    along, across = along / np.sqrt(stretch), across * np.sqrt(stretch)
    angle = np.arctan2(across, along)
    radius = np.full_like(angle, radius_um)
    for order in range(2, 2 + orders):
        radius += radius_um * dents / order**0.8 * rng.normal() * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.sqrt(along**2 + across**2) / np.maximum(radius, 0.3 * radius_um), np.float32)


def inside(relative: Plane, radius_um: float, edge_um: float) -> Plane:
    """1 inside an outline, 0 outside, falling over about `edge_um`."""
    return np.asarray(1 / (1 + np.exp(np.clip((relative - 1) * (radius_um / edge_um) * 4, -30, 30))), np.float32)


def grain(canvas: Canvas, rng: np.random.Generator, size_um: float) -> Plane:
    """Uneven texture of unit variance whose grains are about `size_um` wide."""
    height, width = canvas.dx_um.shape
    step = max(1.0, 0.4 * size_um / canvas.um_per_px)
    coarse = rng.standard_normal((int(height / step) + 3, int(width / step) + 3)).astype(np.float32)
    # Blurred before it is enlarged: else the grains line up with the grid.
    smooth = cv2.GaussianBlur(coarse, (7, 7), 1.0)
    fine = cv2.resize(smooth, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)[:height, :width]
    return np.asarray(fine * 3.6, np.float32)


def blob(canvas: Canvas, x_um: float, y_um: float, radius_um: float) -> Plane:
    """A round bump of height 1 at (x, y) from the cell's centre; 0.5 at its radius."""
    squared = (canvas.dx_um - x_um) ** 2 + (canvas.dy_um - y_um) ** 2
    return np.asarray(np.exp(squared * np.float32(-np.log(2) / radius_um**2)), np.float32)
