"""Which frames a plan is for: those that a camera's pictures come to at the working scale, or sizes given as text."""

from __future__ import annotations

import re

from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.preprocess import padded_side, resampled_size
from hemonode.runtime.tiling import TILE_PX, plan_tiles

Size = tuple[int, int]
"""Height and width, pixels."""


def camera_frames(camera: Size, red_cell_px: float, manifest: Manifest) -> Size:
    """The engine's frames for a camera, as `Segmenter` makes them.

    Args:
        camera: height and width of its pictures.
        red_cell_px: red-cell diameter in them.
        manifest: of the model.
    """
    height, width = resampled_size(*camera, manifest.scale.red_cell_px / red_cell_px)
    plan = plan_tiles(height, width, manifest.input, TILE_PX)
    return plan.frame_height, plan.frame_width


def parse_sizes(text: str) -> Size:
    """Two whole numbers with an x between them, in the order they stand in.

    Raises:
        ValueError: it is something else.
    """
    match = re.fullmatch(r"\s*([1-9]\d{0,4})\s*[xX×]\s*([1-9]\d{0,4})\s*", text)
    if match is None:
        raise ValueError(f"{text!r} is not two numbers of pixels, up to 99999, with an x between them")
    return int(match[1]), int(match[2])


def check_frames(size: Size, manifest: Manifest) -> None:
    """Refuse frames that the model's graph does not take.

    Raises:
        EngineError: a side is too short or no multiple of the stride; the sentence names the next that fits.
    """
    stride, minimum = manifest.input.stride, manifest.input.minimum
    fitting = tuple(padded_side(side, stride, minimum) for side in size)
    if fitting != size:
        raise EngineError(
            f"frames of {size[0]}x{size[1]} do not fit {manifest.name}, whose sides are multiples of {stride} from "
            f"{minimum} on; the next that fit are {fitting[0]}x{fitting[1]}."
        )
