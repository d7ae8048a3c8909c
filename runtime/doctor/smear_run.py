"""One engine on a drawn smear: does it count what was drawn, agree with the reference, and how fast."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from hemonode.device.smear import render_view
from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.engines.agreement import LEAST_AGREEMENT
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.segmentation import Segmentation

SEED = 4
WARM_UP, TIMED = 3, 15


def run_smear(engine: str) -> Mapping[str, Any]:
    """Segment a drawn picture of 640×480 px many times over.

    Args:
        engine: a name of `hemonode.runtime.engines.ENGINES`, or "auto".

    Returns:
        "counts" by class name: [found, drawn]; "agreement" with ONNX Runtime in fp32, a share of the mask's pixels, or
        None and in "no_reference" why; "engine_ms" and "frame_ms", medians; and what ran.

    Raises:
        HemonodeError: it cannot be opened, or failed.
    """
    bundle, view = open_bundle(), render_view(seed=SEED)
    with Segmenter(bundle, engine=engine) as segmenter:
        runs = [segmenter.segment(view.pixels, um_per_px=view.um_per_px) for _ in range(WARM_UP + TIMED)]
        used = segmenter.engine
        told = {"engine": used.name, "precision": used.precision, "version": used.version, "device": used.device}
        told_more = {"passed_over": list(used.passed_over), "remarks": list(segmenter.remarks)}
    agreement, no_reference = _agreement(bundle, runs[-1], view.pixels, view.um_per_px)
    drawn = Counter(cell.class_id for cell in view.cells)
    found = Counter(cell.class_id for cell in runs[-1].cells)
    timed = runs[WARM_UP:]
    return {
        **told,
        **told_more,
        "counts": {c.name: [found[c.id], drawn[c.id]] for c in bundle.classes if c.countable},
        "agreement": agreement,
        "least_agreement": LEAST_AGREEMENT,
        "no_reference": no_reference,
        "engine_ms": statistics.median(run.timings_ms["engine"] for run in timed),
        "frame_ms": statistics.median(sum(run.timings_ms.values()) for run in timed),
    }


def _agreement(
    bundle: Bundle, ran: Segmentation, pixels: np.ndarray[Any, np.dtype[np.uint8]], um_per_px: float
) -> tuple[float | None, str]:
    try:
        with Segmenter(bundle, engine="cpu", precision="fp32") as reference:
            exact = reference.segment(pixels, um_per_px=um_per_px)
    except HemonodeError as error:
        return None, str(error)
    return float(np.mean(ran.class_ids == exact.class_ids)), ""
