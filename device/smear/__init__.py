"""A procedural blood smear with known truth, as the simulated microscope sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hemonode.device.smear.view import View


def render_view(
    *,
    seed: int = 0,
    stain: str = "lilac",
    height: int = 480,
    width: int = 640,
    position_um: tuple[float, float] = (0.0, 0.0),
    z_um: float = 0.0,
    red_cell_px: float = 90.0,
    white_cells_per_view: float = 0.7,
) -> View:
    """Picture and truth of one place on a smear; the same arguments give the same view, bit for bit.

    Args:
        seed: which smear.
        stain: a name in `hemonode.device.smear.stains.STAINS`.
        height: of the picture, px.
        width: of the picture, px.
        position_um: where the middle of the picture lies on the smear, (x, y).
        z_um: distance from best focus.
        red_cell_px: diameter of a usual red cell (7.5 µm) in the picture.
        white_cells_per_view: mean number on 53 × 40 µm, which is 640×480 at 90 px per red cell; 0 to 4.

    Raises:
        DeviceError: an argument is out of range or the stain is unknown.
    """
    from hemonode.device.smear.microscope import Microscope

    microscope = Microscope(
        seed=seed,
        stain=stain,
        height=height,
        width=width,
        red_cell_px=red_cell_px,
        white_cells_per_view=white_cells_per_view,
    )
    return microscope.view(position_um, z_um)
