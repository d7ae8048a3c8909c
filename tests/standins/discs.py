"""Moving discs of three classes, for tests that need no model."""

from __future__ import annotations

import cv2
import numpy as np

from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.live import status as told

CLASSES = (
    told.ClassStatus(0, "background", "Background", "#000000", False),
    told.ClassStatus(1, "white_cell", "White cells", "#0072b2", True),
    told.ClassStatus(2, "red_cell", "Red cells", "#d55e00", True),
    told.ClassStatus(3, "platelet", "Platelets", "#009e73", True),
)
COLOURS = {1: (178, 114, 0), 2: (0, 94, 213), 3: (115, 158, 0)}
RADII = {1: 44, 2: 22, 3: 7}
HEIGHT, WIDTH = 480, 640


def draw(number, seed=0):
    """A picture, its mask and cells: uint8 [480, 640, 3], uint8 [480, 640], cells that drift with the number."""
    places = np.random.default_rng(seed)
    pixels = np.full((HEIGHT, WIDTH, 3), 225, np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cells = []
    for index in range(40):
        class_id = 1 if index < 2 else 3 if index % 9 == 8 else 2
        radius = RADII[class_id]
        x = (places.uniform(0, WIDTH) + number * 0.8) % (WIDTH + 2 * radius) - radius
        y = places.uniform(radius, HEIGHT - radius)
        shade = tuple(int(255 - 0.6 * (255 - part)) for part in COLOURS[class_id])
        cv2.circle(pixels, (round(x), round(y)), radius, shade, -1, cv2.LINE_AA)
        cv2.circle(mask, (round(x), round(y)), radius, class_id, -1)
        if 0 <= x < WIDTH:
            inside = x + radius < WIDTH and y + radius < HEIGHT
            cells.append(Cell(class_id, x, y, 2 * radius, 2 * radius, 0.9, inside))
    return pixels, mask, tuple(cells)
