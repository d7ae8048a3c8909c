"""What lies under the moving view: the simulated slide, whose cells are known, or a large real field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.benchmarks.tally_routes import Step
from hemonode.device.pictures import read_picture
from hemonode.device.smear.microscope import Microscope
from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.preprocess import resample
from hemonode.runtime.segment import Segmenter

Pixels = npt.NDArray[np.uint8]
SIZE = (480, 640)
EXPOSURE_S = 0.008

# Read-out noise of a usual camera, grey levels; pictures that were taken have their own already.
_NOISE = 1.5
_UM_PER_RED_CELL = 7.5
_AWAY_PX = 20_000
# As in `hemonode.device.smear.optics`.
_BLUR_UM_PER_UM = 0.22


@dataclass(frozen=True)
class Known:
    """A cell of the scene: class id and centre on the slide, px."""

    class_id: int
    x: float
    y: float


class Scene(Protocol):
    """What the view moves over."""

    name: str
    red_cell_px: float

    def look(self, step: Step) -> tuple[Pixels, Step, list[Cell] | None]:
        """The picture of a step; the step as it was taken (whole pixels); and its true cells, where they are known."""

    def known(self) -> list[Known]:
        """Every cell met so far, once."""


class SmearScene:
    """The simulated slide."""

    red_cell_px = 90.0

    def __init__(self, seed: int, stain: str) -> None:
        self.name = f"simulated slide, {stain}"
        self._microscope = Microscope(seed=seed, stain=stain, height=SIZE[0], width=SIZE[1])
        self._met: dict[tuple[int, ...], tuple[int, Known]] = {}

    def look(self, step: Step) -> tuple[Pixels, Step, list[Cell] | None]:
        """See `Scene`."""
        away = _AWAY_PX if step.elsewhere else 0
        left, top = round(step.x) + away, round(step.y) + away
        scale = self._microscope.um_per_px
        middle = ((left + SIZE[1] // 2) * scale, (top + SIZE[0] // 2) * scale)
        view = self._microscope.view(middle, step.defocus_um, moment=step.number)
        cells = []
        for cell in view.cells:
            size = cell.box[2] * cell.box[3]
            known = Known(cell.class_id, left + cell.x, top + cell.y)
            # A cell that was never seen whole is where most of it was seen.
            if size > self._met.get(cell.key, (0, known))[0]:
                self._met[cell.key] = size, known
            cells.append(Cell(cell.class_id, cell.x, cell.y, cell.box[2], cell.box[3], 1.0, in_frame=True))
        pixels = _lit(_smeared(view.pixels, step.speed), step.gain)
        return pixels, replace(step, x=float(left), y=float(top)), cells

    def known(self) -> list[Known]:
        """See `Scene`."""
        return [known for _, known in self._met.values()]


class FieldScene:
    """A window over a large picture, brought to 90 px per red cell; beyond it lies its mirror image.

    What is known of its cells is what the model finds in the whole picture at once.
    """

    red_cell_px = 90.0

    def __init__(self, path: Path, segmenter: Segmenter) -> None:
        self.name = path.stem
        pixels = read_picture(path)
        factor = self.red_cell_px / segmenter.measure_red_cell_px(pixels)
        self._pixels = resample(pixels, factor)
        whole = segmenter.segment(self._pixels, red_cell_px=self.red_cell_px)
        self._known = [Known(cell.class_id, cell.x, cell.y) for cell in whole.cells]
        self._noise = np.random.default_rng(0)

    @property
    def room(self) -> tuple[float, float]:
        """How far the window can move, (x, y) px."""
        height, width = self._pixels.shape[:2]
        return float(width - SIZE[1]), float(height - SIZE[0])

    def look(self, step: Step) -> tuple[Pixels, Step, list[Cell] | None]:
        """See `Scene`."""
        left, top = round(step.x), round(step.y)
        # Upside down it is a place that lies nowhere else in it.
        place = self._pixels[::-1, ::-1] if step.elsewhere else self._pixels
        window = _window(place, left, top)
        blur_px = _BLUR_UM_PER_UM * abs(step.defocus_um) * self.red_cell_px / _UM_PER_RED_CELL
        if blur_px > 0:
            window = np.asarray(cv2.GaussianBlur(window, (0, 0), blur_px), np.uint8)
        noisy = _smeared(window, step.speed) + self._noise.normal(0, _NOISE, window.shape)
        pixels = _lit(np.clip(noisy, 0, 255).astype(np.uint8), step.gain)
        return pixels, replace(step, x=float(left), y=float(top)), None

    def known(self) -> list[Known]:
        """See `Scene`."""
        return self._known


def _window(pixels: Pixels, left: int, top: int) -> Pixels:
    """A part of the picture; what lies beyond its edges is their mirror image."""
    rows, columns = (
        np.abs(side - np.abs(side - np.arange(first, first + count)))
        for first, count, side in zip((top, left), SIZE, (pixels.shape[0] - 1, pixels.shape[1] - 1), strict=True)
    )
    return np.ascontiguousarray(pixels[rows[:, None], columns[None, :]])


def _smeared(pixels: Pixels, speed: tuple[float, float]) -> Pixels:
    """What the shutter sees while the slide moves."""
    length = float(np.hypot(*speed)) * EXPOSURE_S
    taps = 2 * int(length / 2) + 1
    if taps < 3:
        return pixels
    kernel = np.zeros((taps, taps), np.float32)
    half = taps // 2
    way = np.array(speed) / np.hypot(*speed) * half
    cv2.line(kernel, tuple(np.rint(half - way).astype(int)), tuple(np.rint(half + way).astype(int)), 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def _lit(pixels: Pixels, gain: float) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=gain), np.uint8)
