"""Run an FP16 graph in FP16: onnx's own evaluator rounds each value as the graph says, where CPU engines widen them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from onnx.reference import ReferenceEvaluator

from hemonode.export.frames import PreparedFrame, as_batch
from hemonode.runtime.prediction import Prediction


def predict_strictly(graph: Path, frame: PreparedFrame) -> Prediction:
    """The graph's answer for one small frame; about ten seconds for 128×128 px."""
    # The evaluator's sigmoid computes two branches everywhere, and overflows in the one that it then drops.
    with np.errstate(over="ignore", invalid="ignore"):
        answers = ReferenceEvaluator(str(graph)).run(["class_ids", "peaks"], {"frames": as_batch(frame)})
    # A dictionary only where a caller asks for every intermediate value.
    class_ids, peaks = cast("list[Any]", answers)
    return Prediction(class_ids, peaks)


def centre_crop(frame: PreparedFrame, side: int) -> PreparedFrame:
    """The middle `side`×`side` pixels."""
    top, left = ((length - side) // 2 for length in frame.pixels.shape[:2])
    return PreparedFrame(frame.name, np.ascontiguousarray(frame.pixels[top : top + side, left : left + side]))
