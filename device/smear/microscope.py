"""The simulated microscope: a smear under a lens, looked at where the stage holds it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hemonode.device.smear.layout import Layout
from hemonode.device.smear.optics import Optics
from hemonode.device.smear.sensor import USUAL, Sensor
from hemonode.device.smear.shapes import Sprite
from hemonode.device.smear.sites import Placed
from hemonode.device.smear.slide import TILE_PX, Slide
from hemonode.device.smear.stains import find_stain
from hemonode.device.smear.view import SmearCell, View
from hemonode.errors import DeviceError

RED_CELL_UM = 7.5
LARGEST_DEFOCUS_UM = 20.0


class Microscope:
    """One smear, seen at one magnification. Neighbouring views are cheap: what was drawn is remembered."""

    def __init__(
        self,
        *,
        seed: int = 0,
        stain: str = "lilac",
        height: int = 480,
        width: int = 640,
        red_cell_px: float = 90.0,
        white_cells_per_view: float = 0.7,
    ) -> None:
        """As `hemonode.device.smear.render_view`."""
        _check("white_cells_per_view", white_cells_per_view, 0.0, 4.0)
        _check("red_cell_px", red_cell_px, 10.0, 400.0)
        _check("height", height, 16, 4096)
        _check("width", width, 16, 4096)
        chosen = find_stain(stain)
        self.um_per_px = RED_CELL_UM / red_cell_px
        self._size = (height, width)
        layout = Layout(seed, white_cells_per_view=white_cells_per_view, crowding_um=chosen.crowding)
        tiles = (height // TILE_PX + 3) * (width // TILE_PX + 3)
        self._slide = Slide(seed, chosen, layout, self.um_per_px, remembered_tiles=3 * tiles)
        self._optics = Optics(seed, chosen, height, width, self.um_per_px)

    def view(
        self, position_um: tuple[float, float], z_um: float = 0.0, moment: int = 0, sensor: Sensor = USUAL
    ) -> View:
        """Picture and truth with the middle of the picture at `position_um`, rounded to whole pixels.

        Args:
            position_um: (x, y) on the smear.
            z_um: distance from focus, at most 20 either way.
            moment: the sensor noise differs between moments.
            sensor: how the camera is set.
        """
        _check("z_um", z_um, -LARGEST_DEFOCUS_UM, LARGEST_DEFOCUS_UM)
        height, width = self._size
        left = round(position_um[0] / self.um_per_px) - width // 2
        top = round(position_um[1] / self.um_per_px) - height // 2
        margin = self._optics.margin_px(z_um)
        light, class_ids = self._slide.light(left - margin, top - margin, width + 2 * margin, height + 2 * margin)
        inner = (slice(margin, margin + height), slice(margin, margin + width))
        return View(
            pixels=self._optics.expose(light, z_um, moment, sensor),
            class_ids=np.ascontiguousarray(class_ids[inner]),
            cells=tuple(self._cells(left, top)),
            um_per_px=self.um_per_px,
        )

    def _cells(self, left: int, top: int) -> Iterator[SmearCell]:
        height, width = self._size
        for cell, sprite in self._slide.cells(left, top, width, height):
            seen = _seen(cell, sprite, left, top, width, height)
            if seen is not None:
                yield seen


def _seen(cell: Placed, sprite: Sprite, left: int, top: int, width: int, height: int) -> SmearCell | None:
    """The cell as the view shows it, or None where no pixel of it lies inside."""
    x_off, y_off = sprite.left - left, sprite.top - top
    y0, x0 = max(0, -y_off), max(0, -x_off)
    part = sprite.body[y0 : max(y0, height - y_off), x0 : max(x0, width - x_off)]
    columns, rows = np.flatnonzero(part.any(0)), np.flatnonzero(part.any(1))
    if not columns.size:
        return None
    box_left, box_top = int(columns[0]) + x0 + x_off, int(rows[0]) + y0 + y_off
    box = (box_left, box_top, int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)
    complete = int(part.sum()) == int(sprite.body.sum())
    return SmearCell(cell.key, cell.class_id, cell.kind, box_left + box[2] / 2, box_top + box[3] / 2, box, complete)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise DeviceError(f"The simulated microscope cannot take {name} = {value:g}; give {low:g} to {high:g}.")
