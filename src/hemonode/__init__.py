"""hemonode: a neural-ODE blood-cell segmenter that runs next to a microscope."""

from __future__ import annotations

__version__ = "0.1.0"
