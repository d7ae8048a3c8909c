"""Cells of a picture from the model's mask and peaks: centre, box, score, and whether the counting frame holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.counting.cells import Cell
from hemonode.runtime.counting.frame_rule import in_counting_frame
from hemonode.runtime.counting.instances import NOMINAL_DIAMETER, instance_boxes, label_instances
from hemonode.runtime.counting.peaks import counted_peaks

# Whole cells only measure the scale: nearer to the border than this share of a red cell, a cell may be cut.
_BORDER_SHARE = 0.05


@dataclass(frozen=True)
class Located:
    """Cells with what their instances measure.

    `diameters_px` float [n], of a disc with the instance's area, pixels of the picture; `whole` bool [n], the instance
    has pixels and does not touch the border.
    """

    cells: tuple[Cell, ...]
    diameters_px: npt.NDArray[np.float64]
    whole: npt.NDArray[np.bool_]


def locate_cells(
    class_ids: npt.NDArray[np.uint8],
    raw_peaks: npt.NDArray[np.float32],
    manifest: Manifest,
    height: int,
    width: int,
) -> Located:
    """Count a picture.

    Args:
        class_ids: uint8 [h·m, w·m], m = the model's mask scale, h×w the picture at the working scale.
        raw_peaks: float32 [K, 4], class id, x, y, score, pixels at the working scale.
        manifest: classes, thresholds, scale.
        height: of the picture, its own pixels.
        width: of the picture, its own pixels.
    """
    # Boxes to a working-scale pixel are as good as the labels; four times fewer pixels to flood.
    small = np.ascontiguousarray(class_ids[:: manifest.input.mask_scale, :: manifest.input.mask_scale])
    peaks = counted_peaks(raw_peaks, manifest)
    names = {entry.id: entry.name for entry in manifest.classes}
    nominal = np.array(
        [NOMINAL_DIAMETER.get(names[int(row)], 1.0) * manifest.scale.red_cell_px for row in peaks[:, 0]], np.float64
    )
    labels = label_instances(small, peaks, nominal)
    factor_x, factor_y = width / small.shape[1], height / small.shape[0]
    boxes = instance_boxes(labels, peaks, nominal) * np.array([factor_x, factor_y, factor_x, factor_y])
    boxes = np.clip(boxes, 0, [width, height, width, height])
    # Half a working-scale pixel: a cell touches an edge where it holds the mask's last pixel.
    in_frame = in_counting_frame(boxes, height, width, margin_px=max(factor_x, factor_y) / 2)
    areas = np.bincount(labels.ravel(), minlength=len(peaks) + 1)[1:]
    margin = _BORDER_SHARE * manifest.scale.red_cell_px * max(factor_x, factor_y)
    edges = np.array([width, height, width, height]) - margin
    whole = (areas > 0) & (boxes[:, :2] > margin).all(1) & (boxes[:, 2:] < edges[2:]).all(1)
    cells = tuple(
        Cell(
            class_id=int(peak[0]),
            x=float(peak[1] * factor_x),
            y=float(peak[2] * factor_y),
            width=float(box[2] - box[0]),
            height=float(box[3] - box[1]),
            score=float(peak[3]),
            in_frame=bool(inside),
        )
        for peak, box, inside in zip(peaks, boxes, in_frame, strict=True)
    )
    return Located(cells, np.sqrt(areas * factor_x * factor_y * 4 / np.pi), whole)
