"""Ranges of what each convolution takes and gives, seen in the fp32 graph on pictures of the training split.

onnxruntime.quantization could do this, too: it keeps every value of every picture in memory, knows no least squares,
and no solver stages, whose values it would have to be asked for by our names all the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, TensorProto, helper

from hemonode.errors import ExportError
from hemonode.export.frames import PreparedFrame, as_batch
from hemonode.export.graph.eight_bits import ConvRanges
from hemonode.export.int8.spans import span_of
from hemonode.export.session import drafted_graph, open_graph

SAMPLES = 16384
"""Values that are kept of each activation in a picture, evenly spread over it."""


def calibrate(fp32_graph: Path, frames: Sequence[PreparedFrame]) -> dict[str, ConvRanges]:
    """The ranges of every convolution, by its name: each evaluation of f has its own, since its values differ.

    One range for all stages of a solver changed a fifth more mask pixels in the ODE blocks, and runs no faster.

    Raises:
        ExportError: no picture, or a value is not finite.
    """
    if not frames:
        raise ExportError("8 bits span what calibration pictures show: ask for at least one")
    model = onnx.load(fp32_graph, load_external_data=False)
    ends = _ends(model)
    seen = _sample(model, fp32_graph.parent, frames, sorted({name for pair in ends.values() for name in pair}))
    spans = {name: span_of(np.concatenate(samples)) for name, samples in seen.items()}
    return {conv: ConvRanges(spans[takes], spans[gives]) for conv, (takes, gives) in ends.items()}


def _ends(model: ModelProto) -> dict[str, tuple[str, str]]:
    """What each convolution takes, and what it gives or its only consumer, a ReLU, makes of that."""
    takers = Counter(name for node in model.graph.node for name in node.input)
    relus = {node.input[0]: node.output[0] for node in model.graph.node if node.op_type == "Relu"}
    return {
        node.name: (node.input[0], relus.get(given, given) if takers[given] == 1 else given)
        for node in model.graph.node
        if node.op_type == "Conv"
        for given in node.output
    }


def _sample(
    model: ModelProto, folder: Path, frames: Sequence[PreparedFrame], names: Sequence[str]
) -> dict[str, list[npt.NDArray[np.float32]]]:
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    with drafted_graph(model, folder) as draft:
        session = open_graph(draft)
    seen = defaultdict(list)
    for frame in frames:
        for name, values in zip(names, session.run(names, {"frames": as_batch(frame)}), strict=True):
            sample = values.ravel()[:: max(values.size // SAMPLES, 1)].copy()
            if not np.isfinite(sample).all():
                raise ExportError(f"on {frame.name} the network's values are not finite: train it anew")
            seen[name].append(sample)
    return seen
