"""hemonode: a neural-ODE blood-cell segmenter that runs next to a microscope."""

from __future__ import annotations

import os

# From 1.29 on ONNX Runtime reports to Microsoft what it runs and where, unless told not to before its first import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
