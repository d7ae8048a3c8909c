"""The cell classes of a model: id, name, colour, and whether its cells are counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

IGNORE_ID = 255
"""Mask value of pixels that no label speaks about."""

BACKGROUND_ID = 0


@dataclass(frozen=True)
class CellClass:
    """One class of a mask. `colour_bgr` is what overlays paint, 0 to 255 per channel."""

    id: int
    name: str
    colour_bgr: tuple[int, int, int]
    countable: bool


# Ids as in Li et al. 2021, platelets added. Colours from Okabe and Ito (2008), which colour-blind readers tell apart.
BLOOD_CLASSES = (
    CellClass(0, "background", (0, 0, 0), countable=False),
    CellClass(1, "white_cell", (178, 114, 0), countable=True),
    CellClass(2, "red_cell", (0, 94, 213), countable=True),
    CellClass(3, "platelet", (115, 158, 0), countable=True),
)


class Named(Protocol):
    """A class of cells, in whatever form: of a model, a bundle, a recorded session."""

    @property
    def id(self) -> int:
        """Value in the mask."""
        ...

    @property
    def name(self) -> str:
        """As in the bundle."""
        ...

    @property
    def countable(self) -> bool:
        """Whether its cells are counted."""
        ...


def countable_names(classes: Iterable[Named]) -> dict[int, str]:
    """Names by id of those classes whose cells are counted, in their order."""
    return {one.id: one.name for one in classes if one.countable}
