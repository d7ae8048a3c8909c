"""Whether cells can be judged in a picture: well lit, not burnt out, in focus, not empty, at the right scale.

The limits were chosen on 202 real pictures of four stains and magnifications (BCCD, TXL-PBC, BCISC), as they are and
after they were blurred, smeared, darkened and brightened in steps, by where the model begins to miss cells. They use no
picture of the simulator. What each lets through and stops is said at its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.status import GateStatus, QualityStatus
from hemonode.runtime.preprocess import resample
from hemonode.runtime.tally.focus import edge_steepness

GateName = Literal["focus", "exposure", "saturation", "emptiness", "scale"]

_GREEN = 1
_WORKING_PX = 40.0
"""Pixels of a red cell at which pictures are judged, so that the magnification does not matter."""

# Edge steepness per red-cell diameter: 6.6 to 14 as taken, none is stopped. Blurred by σ = 5 % of a red cell the model
# misses 2 %, and 6 % are stopped; at 7.5 % it misses 9 %, and 97 % are; at 10 %, all. Of those that were smeared over
# 30 % of a red cell, at which it misses 12 %, 95 % are.
LEAST_FOCUS = 5.6
# Grey level that the brightest tenth exceeds: 132 to 253 as taken, none is stopped. At half the light the model misses
# 9 %, and 38 % are stopped; at a third it misses 23 %, and all are.
LEAST_BRIGHTNESS = 100.0
# Share of burnt-out pixels: up to 0.12 as taken, none is stopped. Bare glass burns out first, and harms nothing; at 1.5
# times the light the model misses 9 %, and 65 % are stopped.
BURNT_OUT_FROM = 250
MOST_BURNT_OUT = 0.45
# Share of the picture that cells take: 0.37 and more as taken. This is two red cells on 640×480 at 90 px each.
LEAST_CELLS = 0.04
# Measured red-cell diameter over the one in use, median of the last pictures: none is stopped as taken. Of scales that
# are wrong by 2, 94 % (too small) and 80 % (too large) are stopped; by 1.5, half; by 1.25, at which counts hold, 3 %.
LEAST_SCALE, MOST_SCALE = 0.7, 1.5
# What a cell's part of the mask measures over the box that an annotator draws, as in `hemonode.runtime.scale`.
_INSTANCE_OVER_BOX = 0.87
_SCALE_CELLS, _SCALE_PICTURES = 5, 8
"""Red cells a picture must show to be measured, and pictures it takes to judge: single ones stray."""

_FORGETS_S = 120.0
"""The sharpest picture seen counts less with time: another place may never be as sharp."""


class Quality:
    """Judges pictures one after another. Used by one thread at a time."""

    def __init__(self, classes: Sequence[ClassRecord]) -> None:
        self._red = {record.id for record in classes if record.name == "red_cell"}
        self._scales: deque[float] = deque(maxlen=3 * _SCALE_PICTURES)
        self._scale_in_use = 0.0
        self._sharpest = 0.0
        self._latest_ns = 0

    def judge(self, result: Result) -> QualityStatus:
        """Check one picture. The gates come in the order in which a person would mend them."""
        green = cv2.extractChannel(result.frame.pixels, _GREEN)
        small = resample(np.asarray(green, np.uint8), _WORKING_PX / result.scale.red_cell_px)
        focus = edge_steepness(small) * _WORKING_PX
        gates = [_exposure(small), _burnt_out(small), _focus(focus), _emptiness(result)]
        scale = self._scale(result)
        if scale is not None:
            gates.append(scale)
        return QualityStatus(all(gate.ok for gate in gates), self._share(focus, result.frame.captured_ns), tuple(gates))

    def forget(self) -> None:
        """Another camera: how sharp it can be, and what its cells measure, is not known."""
        self._scales.clear()
        self._sharpest = 0.0

    def _share(self, focus: float, captured_ns: int) -> float | None:
        """Of the sharpest picture seen lately."""
        passed_s = max(0, captured_ns - self._latest_ns) / 1e9
        self._latest_ns = captured_ns
        self._sharpest = max(focus, self._sharpest * 0.5 ** (passed_s / _FORGETS_S))
        return round(focus / self._sharpest, 3) if self._sharpest > 0 else None

    def _scale(self, result: Result) -> GateStatus | None:
        """None until enough red cells were measured."""
        in_use = result.scale.red_cell_px
        if in_use != self._scale_in_use:
            self._scales.clear()
            self._scale_in_use = in_use
        sides = [
            (c.width * c.height) ** 0.5 for c in result.segmentation.cells if c.class_id in self._red and c.in_frame
        ]
        if len(sides) >= _SCALE_CELLS:
            self._scales.append(float(np.median(sides)) / _INSTANCE_OVER_BOX / in_use)
        if len(self._scales) < _SCALE_PICTURES:
            return None
        value = float(np.median(self._scales))
        advice = f"Red cells look {value:.1f} times as large as the scale in use says: measure the scale again."
        return _gate("scale", "Scale", value, LEAST_SCALE, MOST_SCALE, advice)


def _exposure(green: npt.NDArray[np.uint8]) -> GateStatus:
    levels = np.cumsum(cv2.calcHist([green], [0], None, [256], [0, 256]).ravel())
    value = float(np.searchsorted(levels, 0.9 * levels[-1]))
    advice = "The picture is too dark: more light, or a longer exposure."
    return _gate("exposure", "Brightness", value, LEAST_BRIGHTNESS, None, advice)


def _burnt_out(green: npt.NDArray[np.uint8]) -> GateStatus:
    value = float((green >= BURNT_OUT_FROM).mean())
    advice = "The picture is burnt out: less light, or a shorter exposure."
    return _gate("saturation", "Burnt out", value, None, MOST_BURNT_OUT, advice)


def _focus(value: float) -> GateStatus:
    advice = "The picture is blurred: turn the focus, or let the slide rest."
    return _gate("focus", "Focus", value, LEAST_FOCUS, None, advice)


def _emptiness(result: Result) -> GateStatus:
    height, width = result.frame.pixels.shape[:2]
    # Discs in their boxes.
    value = sum(cell.width * cell.height for cell in result.segmentation.cells) * np.pi / 4 / (height * width)
    advice = "There are hardly any cells here: move to a place that shows more."
    return _gate("emptiness", "Cells in view", float(value), LEAST_CELLS, None, advice)


def _gate(name: GateName, label: str, value: float, least: float | None, most: float | None, advice: str) -> GateStatus:
    ok = (least is None or value >= least) and (most is None or value <= most)
    return GateStatus(name, label, round(value, 3), least, most, ok, None if ok else advice)
