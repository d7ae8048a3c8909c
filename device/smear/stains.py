"""The stains a smear can have: the colours that light keeps behind each part of a cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.errors import DeviceError

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Stain:
    """One staining and its lamp. All colours are BGR, 0 to 255, as seen where only that part covers the glass.

    Attributes:
        background: empty glass at the middle of the picture.
        red_cell: the thick ring of a red cell.
        nucleus: white-cell chromatin.
        pink, blue: cytoplasm of granulocytes, and of lymphocytes and monocytes.
        orange, purple: granules of eosinophils, and of basophils.
        platelet: middle of a platelet.
        pallor: how much thinner red cells are in the middle on average, 0 to 1.
        crowding: how far red cells are drawn together into clumps, µm.
        glints: mean number of refractile dots on a red cell.
        outline: extra darkness of a red cell's edge.
        vignette: share of the light lost in the corners.
        blur_um: standard deviation of the point spread in focus, µm.
        noise: standard deviation of the sensor noise, grey levels.
    """

    background: Colour
    red_cell: Colour
    nucleus: Colour
    pink: Colour
    blue: Colour
    orange: Colour
    purple: Colour
    platelet: Colour
    pallor: float
    crowding: float
    glints: float
    outline: float
    vignette: float
    blur_um: float
    noise: float

    def density(self, colour: Colour) -> npt.NDArray[np.float32]:
        """Optical density (natural logarithm, BGR) that turns the background into `colour` (Beer-Lambert)."""
        return np.log(np.divide(self.background, colour)).astype(np.float32)


# Medians of labelled pixels in public smears: BCCD, the two stains of TXL-PBC, and BCISC.
STAINS = {
    "lilac": Stain(
        background=(206, 210, 205), red_cell=(156, 158, 184), nucleus=(208, 84, 112), pink=(208, 184, 198),
        blue=(206, 166, 166), orange=(176, 152, 203), purple=(165, 70, 95), platelet=(202, 140, 146),
        pallor=0.55, crowding=7.0, glints=0.5, outline=0.08, vignette=0.06, blur_um=0.12, noise=2.2,
    ),
    "pink": Stain(
        background=(203, 230, 253), red_cell=(160, 158, 202), nucleus=(130, 28, 78), pink=(184, 190, 230),
        blue=(190, 165, 195), orange=(125, 135, 220), purple=(118, 18, 58), platelet=(150, 80, 140),
        pallor=0.66, crowding=1.5, glints=0.05, outline=0.05, vignette=0.05, blur_um=0.12, noise=1.2,
    ),
    "purple": Stain(
        background=(175, 188, 225), red_cell=(134, 112, 158), nucleus=(112, 16, 140), pink=(160, 156, 207),
        blue=(150, 128, 172), orange=(122, 110, 196), purple=(100, 20, 95), platelet=(132, 88, 145),
        pallor=0.6, crowding=3.0, glints=0.08, outline=0.08, vignette=0.08, blur_um=0.2, noise=1.5,
    ),
    "teal": Stain(
        background=(172, 171, 144), red_cell=(96, 98, 98), nucleus=(74, 22, 42), pink=(125, 98, 114),
        blue=(112, 80, 82), orange=(95, 72, 112), purple=(80, 14, 38), platelet=(120, 76, 96),
        pallor=0.55, crowding=7.0, glints=0.3, outline=0.1, vignette=0.22, blur_um=0.2, noise=2.0,
    ),
}  # fmt: skip


def find_stain(name: str) -> Stain:
    """The stain of that name, or a DeviceError that lists the names there are."""
    if name not in STAINS:
        raise DeviceError(f"There is no stain {name!r}; choose one of {', '.join(STAINS)}.")
    return STAINS[name]
