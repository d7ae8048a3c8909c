"""hemonode: a neural-ODE blood-cell segmenter that runs next to a microscope."""

from __future__ import annotations

import os
import sys

# Before their first import: ONNX Runtime, from 1.29 on, reports to Microsoft what it runs and where, and OpenVINO to
# Intel, by way of Google, that it was imported; it does without the package that sends that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

__version__ = "0.1.0"
