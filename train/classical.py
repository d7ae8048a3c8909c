"""The classical floor: masks and cells without learning, what a model must beat to be worth its weights.

Otsu's threshold on the green channel parts cells from background; what absorbs most, in red light too, which
haemoglobin lets pass, is a nucleus or, where it is small, a platelet; peaks of the distance transform of the rest are
red cells.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.classes import BLOOD_CLASSES, CellClass
from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.counting.frame_rule import in_counting_frame
from hemonode.runtime.counting.instances import NOMINAL_DIAMETER, instance_boxes, label_instances
from hemonode.runtime.preprocess import resample
from hemonode.runtime.segmentation import Segmentation
from hemonode.train.data.sample import Sample

WHITE_ID, RED_ID, PLATELET_ID = 1, 2, 3
WORKING_RED_CELL_PX = 40.0
FULL_LIGHT = 200.0
# Of 0, ¼, ½ and ¾ the one that parts nuclei from red cells best on the training pictures of three stains.
GREEN_WEIGHT = 0.75

Mask = npt.NDArray[np.uint8]
"""uint8 [H, W], 0 or 1."""


@dataclass(frozen=True)
class FloorParameters:
    """Lengths in red-cell diameters, areas in red-cell areas.

    Chosen on training pictures by `python -m hemonode.benchmarks.classical_floor --tune`.

    Attributes:
        nucleus_light: least and largest share of the background's light that a nucleus lets pass; Otsu's threshold of
            each picture is kept within.
        joined_lobes: nuclei nearer to each other than this are one.
        white_area: least area of a white cell's nucleus.
        platelet_light: largest share of the background's light that a platelet lets pass.
        platelet_area: least and largest area of a platelet.
        cytoplasm: how far a white cell reaches beyond its nucleus.
        broken_rim: gaps up to this in a red cell's outline are closed.
        pallor_area: holes up to this are the pale middle of a red cell.
        red_distance: least distance between two red cells.
        red_radius: least distance from a red cell's middle to its edge.
    """

    nucleus_light: tuple[float, float] = (0.35, 0.55)
    joined_lobes: float = 0.15
    white_area: float = 0.4
    platelet_light: float = 0.6
    platelet_area: tuple[float, float] = (0.02, 0.15)
    cytoplasm: float = 0.15
    broken_rim: float = 0.15
    pallor_area: float = 0.15
    red_distance: float = 0.25
    red_radius: float = 0.1


class ClassicalFloor:
    """The floor as a method to evaluate. It takes the same scale as the model beside it."""

    name = "classical floor"
    classes: tuple[CellClass, ...] = BLOOD_CLASSES

    def __init__(self, parameters: FloorParameters | None = None, *, red_cell_px: float | None = None) -> None:
        self.parameters = parameters or FloorParameters()
        self._red_cell_px = red_cell_px

    @property
    def details(self) -> dict[str, str]:
        """What it does, and that nothing of it was chosen on validation pictures."""
        return {
            "method": "Otsu on green; absorption of green and red for nuclei and platelets; "
            "distance-transform peaks for red cells",
            "parameters": f"chosen on training pictures: {self.parameters}",
            "scale": "red-cell diameter from the labels" if self._red_cell_px is None else f"{self._red_cell_px:g} px",
        }

    def segment(self, sample: Sample) -> Segmentation:
        """See `train.metrics.method.Method.segment`."""
        started = time.perf_counter()
        red_cell_px = self._red_cell_px or sample.red_cell_px
        small = resample(sample.pixels, WORKING_RED_CELL_PX / red_cell_px)
        class_ids = classify(small, self.parameters)
        peaks = find_peaks(class_ids, self.parameters)
        height, width = sample.pixels.shape[:2]
        return Segmentation(
            class_ids=np.asarray(cv2.resize(class_ids, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8),
            cells=_cells(class_ids, peaks, height, width),
            red_cell_px=red_cell_px,
            scale_source="given",
            timings_ms={"all": (time.perf_counter() - started) * 1000},
        )


def classify(pixels: npt.NDArray[np.uint8], parameters: FloorParameters) -> npt.NDArray[np.uint8]:
    """Class ids uint8 [H, W] of BGR pixels whose red cells measure `WORKING_RED_CELL_PX`."""
    smooth = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.0), np.uint8)
    light = _light(smooth)
    stained = _below(light, float(np.clip(_otsu(light) / FULL_LIGHT, *parameters.nucleus_light)))
    dark = _dark(smooth[..., 1], stained) | stained
    closed = np.asarray(cv2.morphologyEx(dark, cv2.MORPH_CLOSE, _disc(parameters.broken_rim)), np.uint8)
    foreground = _fill_holes(closed, parameters.pallor_area * _red_area())
    white = _white_cells(stained, foreground, parameters)
    platelets = _of_area(_below(light, parameters.platelet_light) & (1 - white), *parameters.platelet_area)
    class_ids = foreground * np.uint8(RED_ID)
    class_ids[platelets > 0] = PLATELET_ID
    class_ids[white > 0] = WHITE_ID
    return np.asarray(class_ids, np.uint8)


def find_peaks(class_ids: npt.NDArray[np.uint8], parameters: FloorParameters) -> npt.NDArray[np.float32]:
    """One row for each cell, float32 [n, 4]: class id, x, y, 1; pixels of `class_ids`."""
    rows = [(RED_ID, x, y) for x, y in _red_centres((class_ids == RED_ID).astype(np.uint8), parameters)]
    for class_id in (WHITE_ID, PLATELET_ID):
        _, _, _, centres = cv2.connectedComponentsWithStats((class_ids == class_id).astype(np.uint8))
        rows += [(class_id, x + 0.5, y + 0.5) for x, y in centres[1:]]
    return np.array([(*row, 1.0) for row in rows], np.float32).reshape(-1, 4)


def _red_area() -> float:
    return float(np.pi / 4 * WORKING_RED_CELL_PX**2)


def _disc(diameter: float) -> Mask:
    side = max(round(diameter * WORKING_RED_CELL_PX), 1) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _fill_holes(mask: Mask, largest: float) -> Mask:
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    small = statistics[:, cv2.CC_STAT_AREA] <= largest
    small[0] = True
    return np.asarray(small[labels], np.uint8) if count > 1 else np.asarray(mask, np.uint8)


def _light(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Share of the background's light that passes, times `FULL_LIGHT`; the brightest tenth is background."""
    shares = [pixels[..., channel] / max(float(np.quantile(pixels[..., channel], 0.9)), 1.0) for channel in (1, 2)]
    return np.asarray(
        np.clip(FULL_LIGHT * (GREEN_WEIGHT * shares[0] + (1 - GREEN_WEIGHT) * shares[1]), 0, 255), np.uint8
    )


def _below(light: npt.NDArray[np.uint8], share: float) -> Mask:
    return np.asarray(light <= share * FULL_LIGHT, np.uint8)


def _dark(green: npt.NDArray[np.uint8], stained: Mask) -> Mask:
    """What absorbs green light; nuclei are left out of the histogram, in which they would hide faint red cells."""
    rest = green[stained == 0]
    return np.asarray(green <= _otsu(rest), np.uint8) if rest.size else np.ones_like(stained)


def _otsu(values: npt.NDArray[np.uint8]) -> float:
    threshold, _ = cv2.threshold(values.reshape(1, -1), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(threshold)


def _of_area(mask: Mask, least: float, largest: float = np.inf) -> Mask:
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask)
    area = statistics[:, cv2.CC_STAT_AREA] / _red_area()
    kept = (area >= least) & (area <= largest)
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)


def _white_cells(stained: Mask, foreground: Mask, parameters: FloorParameters) -> Mask:
    opened = cv2.morphologyEx(stained, cv2.MORPH_OPEN, _disc(0.1))
    nuclei = _of_area(
        np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _disc(2 * parameters.joined_lobes)), np.uint8),
        parameters.white_area,
    )
    grown = np.asarray(cv2.dilate(nuclei, _disc(2 * parameters.cytoplasm)), np.uint8)
    return (grown & foreground) | nuclei


def _red_centres(red: Mask, parameters: FloorParameters) -> list[tuple[float, float]]:
    distance = cv2.GaussianBlur(cv2.distanceTransform(red, cv2.DIST_L2, 5), (0, 0), 1.0)
    highest = cv2.dilate(distance, _disc(2 * parameters.red_distance))
    summits = (distance >= highest - 1e-3) & (distance >= parameters.red_radius * WORKING_RED_CELL_PX)
    # Neighbouring pixels of one height are one summit.
    _, _, _, centres = cv2.connectedComponentsWithStats(summits.astype(np.uint8))
    return [(x + 0.5, y + 0.5) for x, y in centres[1:]]


def _cells(
    class_ids: npt.NDArray[np.uint8], peaks: npt.NDArray[np.float32], height: int, width: int
) -> tuple[Cell, ...]:
    names = {entry.id: entry.name for entry in BLOOD_CLASSES}
    nominal = np.array([NOMINAL_DIAMETER[names[int(row)]] * WORKING_RED_CELL_PX for row in peaks[:, 0]], np.float64)
    factor = np.array([width / class_ids.shape[1], height / class_ids.shape[0]])
    boxes = instance_boxes(label_instances(class_ids, peaks, nominal), peaks, nominal) * np.tile(factor, 2)
    boxes = np.clip(boxes, 0, [width, height, width, height])
    inside = in_counting_frame(boxes, height, width, margin_px=float(factor.max()))
    return tuple(
        Cell(
            class_id=int(peak[0]),
            x=float(peak[1] * factor[0]),
            y=float(peak[2] * factor[1]),
            width=float(box[2] - box[0]),
            height=float(box[3] - box[1]),
            score=1.0,
            in_frame=bool(counted),
        )
        for peak, box, counted in zip(peaks, boxes, inside, strict=True)
    )
