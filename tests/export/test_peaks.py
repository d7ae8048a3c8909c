"""The graph's list of peaks equals a plain NumPy search, in pixels of the input."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from hemonode.export.graph.builder import GraphBuilder, Value
from hemonode.export.graph.outputs import PEAK_MARGIN, emit_peaks
from hemonode.export.graph.weights import WeightFile
from hemonode.export.graph.writer import Heads
from hemonode.export.reference import peaks_of

IDS = (1, 2, 5)
ROWS = 64


@pytest.fixture(scope="module")
def session():
    graph = GraphBuilder(WeightFile("fp32"))
    emit_peaks(graph, Value("heat", TensorProto.FLOAT), IDS, heat_stride=4, rows=ROWS)
    model = graph.model(
        "peaks",
        [helper.make_tensor_value_info("heat", TensorProto.FLOAT, ["N", len(IDS), "h", "w"])],
        [helper.make_tensor_value_info("peaks", TensorProto.FLOAT, ["N", ROWS, 4])],
    )
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def _search(logits):
    """Every place that no neighbour exceeds by more than the margin, best first, by looking at each one."""
    scores = 1 / (1 + np.exp(-logits))
    rows = []
    for channel, row, column in np.ndindex(scores.shape):
        around = scores[channel, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        score = scores[channel, row, column]
        if score >= around.max() - PEAK_MARGIN:
            rows.append((IDS[channel], 4 * column + 2, 4 * row + 2, score))
    return sorted(rows, key=lambda found: -found[3])[:ROWS]


@pytest.mark.parametrize(("height", "width"), [(11, 17), (24, 9)])
def test_peaks_equal_a_plain_search(session, height, width):
    logits = np.random.default_rng(height).normal(0, 2, (2, len(IDS), height, width)).astype(np.float32)
    (peaks,) = session.run(None, {"heat": logits})
    for found, frame in zip(peaks, logits, strict=True):
        expected = np.array(_search(frame))
        np.testing.assert_allclose(found[: len(expected)], expected, atol=1e-6)
        assert not found[len(expected) :, 3].any()
    reference = peaks_of(torch.from_numpy(logits), Heads(countable_ids=IDS, peaks=ROWS)).numpy()
    np.testing.assert_allclose(peaks[..., 3], reference[..., 3], atol=1e-6)
    counted = peaks[..., 3] > 0
    np.testing.assert_allclose(peaks[counted], reference[counted], atol=1e-6)


def test_a_cell_in_the_corner_is_not_lost_and_lies_at_its_pixels_centre(session):
    logits = np.full((1, len(IDS), 16, 16), -8, np.float32)
    logits[0, 2, 0, 15] = 3
    (peaks,) = session.run(None, {"heat": logits})
    np.testing.assert_allclose(peaks[0, 0], [5, 62, 2, 1 / (1 + np.exp(-3))], rtol=1e-6)
    assert peaks[0, 1, 3] < 1e-3
