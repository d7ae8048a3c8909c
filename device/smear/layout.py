"""Where cells lie on the smear: they push each other apart, white cells hardest, and some red cells stay stuck."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hemonode.device.smear.sites import BLOCK_UM, PLATELET, RED, WHITE, Placed, block_sites

REACH_UM = 30.0
"""No cell has a part farther from its home block: drift, pushing and its radius together."""

ROUNDS = 10
# How easily a cell is pushed: white cells stand, red cells yield, platelets go where there is room.
YIELDS = {WHITE: 0.02, RED: 1.0, PLATELET: 8.0}
STUCK_CONTACT, FREE_CONTACT = 0.62, 0.98


class Layout:
    """All cells of an endless smear; which lie where depends on the seed alone, not on the order of asking."""

    def __init__(self, seed: int, *, white_cells_per_view: float, crowding_um: float) -> None:
        self._sites = lru_cache(maxsize=256)(lambda x, y: block_sites(seed, (x, y), white_cells_per_view, crowding_um))
        self._settled = lru_cache(maxsize=128)(self._settle)

    def near(self, left_um: float, top_um: float, right_um: float, bottom_um: float) -> list[Placed]:
        """Every cell that may have a part in the rectangle."""
        columns = range(int((left_um - REACH_UM) // BLOCK_UM), int((right_um + REACH_UM) // BLOCK_UM) + 1)
        rows = range(int((top_um - REACH_UM) // BLOCK_UM), int((bottom_um + REACH_UM) // BLOCK_UM) + 1)
        return [
            cell
            for row in rows
            for column in columns
            for cell in self._settled(column, row)
            if left_um < cell.x_um + 1.8 * cell.radius_um
            and cell.x_um - 1.8 * cell.radius_um < right_um
            and top_um < cell.y_um + 1.8 * cell.radius_um
            and cell.y_um - 1.8 * cell.radius_um < bottom_um
        ]

    def _settle(self, column: int, row: int) -> list[Placed]:
        around = [c for dy in (-1, 0, 1) for dx in (-1, 0, 1) for c in self._sites(column + dx, row + dy)]
        middle = ((column + 0.5) * BLOCK_UM, (row + 0.5) * BLOCK_UM)
        half = BLOCK_UM / 2 + REACH_UM
        around = [c for c in around if abs(c.x_um - middle[0]) < half and abs(c.y_um - middle[1]) < half]
        place = _push(around)
        covered = _covered_platelets(around, place)
        return [
            Placed(cell.key, cell.kind, float(place[i, 0]), float(place[i, 1]), cell.radius_um)
            for i, cell in enumerate(around)
            if cell.key[1:3] == (column, row) and not covered[i]
        ]


def _push(cells: list[Placed]) -> npt.NDArray[np.float64]:
    place = np.array([(c.x_um, c.y_um) for c in cells])
    yields = np.array([YIELDS[c.class_id] for c in cells])
    contact = _contact(cells)
    share = yields[:, None] / (yields[:, None] + yields[None, :])
    for _ in range(ROUNDS):
        apart = place[:, None] - place[None, :]
        distance = np.sqrt((apart**2).sum(2)) + 1e-6
        push = np.clip(contact - distance, 0.0, 2.0) * share * 0.6 / distance
        # Limited, so that a cell in a throng stays within reach of its block.
        place += np.clip((push[..., None] * apart).sum(1), -1.2, 1.2)
    return place


def _contact(cells: list[Placed]) -> npt.NDArray[np.float64]:
    """Distance in µm that each pair keeps."""
    radius = np.array([c.radius_um for c in cells])
    red = np.array([c.class_id == RED for c in cells])
    sticky = red & (np.array([c.key[3] * 7 + c.key[1] * 3 + c.key[2] * 5 for c in cells]) % 5 < 2)
    factor = np.where(sticky[:, None] & sticky[None, :], STUCK_CONTACT, FREE_CONTACT)
    keep = (radius[:, None] + radius[None, :]) * factor
    np.fill_diagonal(keep, 0.0)
    return np.asarray(keep, np.float64)


def _covered_platelets(cells: list[Placed], place: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Platelets that found no room; they are left out, so that every platelet of the truth can be seen."""
    platelet = np.array([c.class_id == PLATELET for c in cells])
    radius = np.array([c.radius_um for c in cells])
    distance = np.sqrt(((place[:, None] - place[None, :]) ** 2).sum(2))
    under = (distance < radius[None, :] + 0.3 * radius[:, None]) & ~platelet[None, :]
    return np.asarray(platelet & under.any(1), np.bool_)
