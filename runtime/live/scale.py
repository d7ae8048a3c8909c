"""The red-cell diameter that a live view works with: given, from the camera, or measured once and kept."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.device.frame import Frame
from hemonode.errors import DeviceError
from hemonode.runtime.scale import LARGEST_PX, SMALLEST_PX
from hemonode.runtime.segmentation import ScaleSource

FRAMES_MEASURED = 3
"""Frames whose median diameter is kept; a steady scale also keeps the engine's input size steady."""


@dataclass(frozen=True)
class Scale:
    """Red-cell diameter in pixels of the camera's picture, and where it comes from."""

    red_cell_px: float
    source: ScaleSource


class LiveScale:
    """One scale for the whole view, asked for with every frame, from any thread.

    Args:
        red_cell_um: tells the diameter of a red cell in micrometres, as the model of the moment knows it; turns a
            camera's `um_per_px` into pixels per cell.
        given: the user's own; rules over everything else.
    """

    def __init__(
        self,
        red_cell_um: Callable[[], float],
        given: Scale | None = None,
    ) -> None:
        self._red_cell_um = red_cell_um
        self._given = given
        self._lock = threading.Lock()
        self._measured: list[float] = []
        self._kept: Scale | None = None
        self._camera_tells = False
        self._since_ns = 0

    def of(self, frame: Frame, measure: Callable[[npt.NDArray[np.uint8]], float]) -> Scale | None:
        """The scale of a frame. None: the frame was only used to measure it, more are needed.

        Args:
            frame: from the camera.
            measure: red-cell diameter in px of a picture (uint8 [H, W, 3] BGR); called with the first frames only.

        Raises:
            PictureError: no red cells were found to measure.
        """
        given = self._given
        if given is not None:
            return given
        self._camera_tells = frame.um_per_px is not None
        if frame.um_per_px is not None:
            return Scale(self._red_cell_um() / frame.um_per_px, "um_per_px")
        if self._kept is None:
            # Outside of the lock: who measures may wait for an engine, and must not make the others wait.
            self._measure(frame, measure(frame.pixels))
        return self._kept

    def measure_again(self) -> bool:
        """Forget a scale that was measured or given, so that the next frames give a new one.

        Returns:
            False where the camera itself tells the scale: nothing is measured then.
        """
        with self._lock:
            self._given = None
            self._kept = None
            self._measured.clear()
            return not self._camera_tells

    def give(self, red_cell_px: float) -> None:
        """Set it.

        Raises:
            DeviceError: no camera shows red cells of that size.
        """
        # Twice and half of what is measured: a person may know better, but not by a slip of a digit.
        if not SMALLEST_PX / 2 <= red_cell_px <= LARGEST_PX * 2:
            raise DeviceError(
                f"Red cells of {red_cell_px:g} px cannot be used; give {SMALLEST_PX / 2:g} to {LARGEST_PX * 2:g}."
            )
        self._given = Scale(red_cell_px, "given")

    def forget(self) -> None:
        """Another camera: nothing that was known of the one before holds."""
        with self._lock:
            self._given = None
            self._kept = None
            self._measured.clear()
            self._camera_tells = False
            self._since_ns = time.monotonic_ns()

    def _measure(self, frame: Frame, red_cell_px: float) -> None:
        with self._lock:
            # Another camera was chosen meanwhile: its cells may be of another size.
            if frame.captured_ns < self._since_ns:
                return
            self._measured.append(red_cell_px)
            if len(self._measured) == FRAMES_MEASURED:
                self._kept = Scale(round(statistics.median(self._measured), 1), "estimated")
