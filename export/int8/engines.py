"""The CPU engines that run INT8 graphs here: each fuses and rounds in its own way, so each must keep the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import onnxruntime

from hemonode.export.frames import PreparedFrame, as_batch
from hemonode.export.session import GraphSession
from hemonode.runtime.engines.contract import Engine, Shape
from hemonode.runtime.prediction import Prediction


class Answering(Protocol):
    """An open graph that answers frames of any size."""

    def predict(self, frame: PreparedFrame) -> Prediction:
        """The graph's answer for one frame."""


def open_everywhere(graph: Path) -> dict[str, Answering]:
    """The graph on every CPU engine that is installed, by the engine's name and version; ONNX Runtime first."""
    opened: dict[str, Answering] = {f"ONNX Runtime {onnxruntime.__version__}": GraphSession(graph)}
    try:
        import openvino
    except ModuleNotFoundError:
        return opened
    return {**opened, f"OpenVINO {openvino.__version__.partition('-')[0]}": _Fixed(graph)}


class _Fixed:
    """The runtime's OpenVINO engine, which is opened for one frame size, for each size that comes."""

    def __init__(self, graph: Path) -> None:
        self._graph = graph
        self._engines: dict[Shape, Engine] = {}

    def predict(self, frame: PreparedFrame) -> Prediction:
        from hemonode.runtime.engines.openvino import OpenVinoEngine

        height, width = frame.pixels.shape[:2]
        shape = (1, height, width)
        if shape not in self._engines:
            self._engines[shape] = OpenVinoEngine(self._graph, shape, "int8")
        return self._engines[shape].run(as_batch(frame))
