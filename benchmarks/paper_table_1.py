"""Table 1 of Li et al. 2021: a half-width U-Net, and the same with one ODE block at each of its nine positions."""

from __future__ import annotations

from typing import NamedTuple

IMAGES, SIDE_PX = 20, 256
"""The time is for so many pictures; the paper's are of this side."""

TOLERANCE = 1e-3
WIDTH = 32

PAPER_MACHINE = "Xeon E5, 64 cores, four GTX 1080 Ti; Keras and TensorFlow"


class PaperRow(NamedTuple):
    """Per cent, and seconds for twenty pictures. The paper's classes are background, red and white cells."""

    pixel_accuracy: float
    background: float
    red_cells: float
    white_cells: float
    miou: float
    seconds: float


PAPER = {
    "U-Net": PaperRow(94.59, 92.55, 96.54, 94.10, 88.58, 0.15),
    "ODE-UNet1": PaperRow(95.05, 94.25, 95.97, 93.92, 89.80, 7.35),
    "ODE-UNet2": PaperRow(95.08, 94.23, 95.69, 95.98, 89.68, 3.73),
    "ODE-UNet3": PaperRow(95.11, 95.14, 95.70, 91.65, 89.61, 1.94),
    "ODE-UNet4": PaperRow(95.19, 94.08, 96.51, 93.42, 90.17, 1.03),
    "ODE-UNet5": PaperRow(95.05, 95.62, 94.62, 94.53, 89.62, 0.61),
    "ODE-UNet6": PaperRow(95.14, 93.78, 96.34, 95.39, 90.09, 1.06),
    "ODE-UNet7": PaperRow(95.17, 93.80, 96.59, 94.19, 90.02, 1.95),
    "ODE-UNet8": PaperRow(95.16, 94.33, 96.30, 92.98, 89.91, 3.72),
    "ODE-UNet9": PaperRow(95.14, 94.33, 96.23, 93.15, 90.03, 7.35),
}

POSITIONS = {name: int(name.removeprefix("ODE-UNet")) for name in PAPER if name != "U-Net"}
"""Of each network's ODE block."""
