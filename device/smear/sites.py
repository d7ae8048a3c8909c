"""Where cells lie before they push each other: an endless jittered grid, in blocks of 64 µm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.device.smear.chance import chance

BLOCK_UM = 64.0
VIEW_UM2 = (640 * 480) * (7.5 / 90) ** 2
"""Area to which densities refer: 640×480 at 90 px per red cell."""

WHITE, RED, PLATELET = 1, 2, 3

RED_KINDS = ("discocyte", "ovalocyte", "spherocyte", "pale", "target", "stomatocyte")
RED_SHARES = (0.70, 0.12, 0.08, 0.05, 0.02, 0.03)
WHITE_KINDS = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
# Rarer kinds are commoner here than in healthy blood, so that a short look meets all five.
WHITE_SHARES = (0.48, 0.26, 0.10, 0.10, 0.06)
WHITE_RADIUS_UM = {
    "neutrophil": (6.0, 7.2),
    "lymphocyte": (4.4, 6.0),
    "monocyte": (7.2, 8.8),
    "eosinophil": (6.2, 7.4),
    "basophil": (5.4, 6.6),
}
# Sites on a side of a block, and how far a cell strays from its site, as a share of the site's width.
GRIDS = {WHITE: (4, 0.25), RED: (7, 0.42), PLATELET: (8, 0.5)}
RED_PRESENCE = 0.88
PLATELETS_PER_VIEW = 4.0


@dataclass(frozen=True)
class Placed:
    """One cell on the smear, in µm. `key` names it: (class id, block x, block y, number in the block)."""

    key: tuple[int, int, int, int]
    kind: str
    x_um: float
    y_um: float
    radius_um: float

    @property
    def class_id(self) -> int:
        """1 white cell, 2 red cell, 3 platelet."""
        return self.key[0]


def block_sites(seed: int, block: tuple[int, int], white_cells_per_view: float, crowding_um: float) -> list[Placed]:
    """The cells at home in one block, where they lie before they push each other."""
    presence = {
        WHITE: white_cells_per_view * _site_um2(WHITE) / VIEW_UM2,
        RED: RED_PRESENCE,
        PLATELET: PLATELETS_PER_VIEW * _site_um2(PLATELET) / VIEW_UM2,
    }
    cells: list[Placed] = []
    for class_id in (WHITE, RED, PLATELET):
        rng = chance(seed, class_id, *block)
        side, stray = GRIDS[class_id]
        rows, columns = np.divmod(np.arange(side * side), side)
        place = np.stack([columns + 0.5 * (rows % 2), rows], 1) + 0.25 + rng.uniform(-stray, stray, (side * side, 2))
        place = (place / side + block) * BLOCK_UM
        place += _drift(seed, place, crowding_um)
        present = rng.random(side * side) < presence[class_id]
        for number in np.flatnonzero(present):
            kind, radius_um = _kind(rng, class_id)
            x_um, y_um = place[number]
            cells.append(Placed((class_id, *block, int(number)), kind, float(x_um), float(y_um), radius_um))
    return cells


def _site_um2(class_id: int) -> float:
    return (BLOCK_UM / GRIDS[class_id][0]) ** 2


def _kind(rng: np.random.Generator, class_id: int) -> tuple[str, float]:
    if class_id == WHITE:
        kind = str(rng.choice(WHITE_KINDS, p=WHITE_SHARES))
        return kind, float(rng.uniform(*WHITE_RADIUS_UM[kind]))
    if class_id == RED:
        kind = str(rng.choice(RED_KINDS, p=RED_SHARES))
        usual = 3.3 if kind == "spherocyte" else 3.75
        return kind, float(np.clip(rng.normal(usual, 0.25), 2.9, 4.5))
    return "platelet", float(rng.uniform(0.9, 1.6))


def _drift(seed: int, place: npt.NDArray[np.float64], amplitude_um: float) -> npt.NDArray[np.float64]:
    """A smooth field that draws cells together here and leaves glass bare there."""
    rng = chance(seed, 77)
    moved = np.zeros_like(place)
    for wavelength_um in (26.0, 38.0, 55.0, 90.0):
        angle = rng.uniform(0, 2 * np.pi)
        wave = np.array([np.cos(angle), np.sin(angle)])
        phase = place @ wave * (2 * np.pi / wavelength_um) + rng.uniform(0, 2 * np.pi)
        moved += 0.5 * amplitude_um * np.sin(phase)[:, None] * wave
    return moved
