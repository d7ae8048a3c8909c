"""The simulated stage: scans the smear row by row until it is sent somewhere."""

from __future__ import annotations

import math

from hemonode.errors import DeviceError

STEP_UM = 40.0
MOVE_S = 6.0
PAUSE_S = 2.0
STEPS_PER_ROW = 12
ROW_UM = 34.0

LIMIT_UM = 1_000_000.0
"""Soft limit on either side. No real slide is as large, and 32-bit pixel numbers hold it."""


class SimulatedStage:
    """Position of the slide as a function of time: a serpentine with pauses, where `move_to` put it, or a steady pan.

    `z_um` is the distance from best focus and may be set at any time.
    """

    def __init__(self) -> None:
        self.z_um = 0.0
        self._held: tuple[float, float] | None = None
        self._speed_um_s = (0.0, 0.0)

    def move_to(self, x_um: float, y_um: float) -> None:
        """Leave the scan and stay at (x, y).

        Raises:
            DeviceError: outside the soft limits; the stage stays where it was.
        """
        if not (abs(x_um) <= LIMIT_UM and abs(y_um) <= LIMIT_UM):
            raise DeviceError(
                f"The simulated stage cannot go to ({x_um:g}, {y_um:g}) µm; it reaches {LIMIT_UM:g} µm either way."
            )
        self._held = (x_um, y_um)
        self._speed_um_s = (0.0, 0.0)

    def pan(self, x_um: float, y_um: float, x_um_s: float, y_um_s: float) -> None:
        """Leave the scan for a straight line that is at (x, y) when time begins, and stays at the limits.

        Raises:
            DeviceError: (x, y) lies outside the soft limits, or the speed is no number; nothing changes.
        """
        if not (math.isfinite(x_um_s) and math.isfinite(y_um_s)):
            raise DeviceError(f"The simulated stage cannot move at ({x_um_s:g}, {y_um_s:g}) µm/s; give numbers.")
        self.move_to(x_um, y_um)
        self._speed_um_s = (x_um_s, y_um_s)

    def scan(self) -> None:
        """Take up the serpentine again."""
        self._held = None

    def position_um(self, elapsed_s: float) -> tuple[float, float]:
        """Where the slide is (x, y), `elapsed_s` after the scan began."""
        if self._held is not None:
            x_um, y_um = (
                min(max(at + speed * elapsed_s, -LIMIT_UM), LIMIT_UM)
                for at, speed in zip(self._held, self._speed_um_s, strict=True)
            )
            return x_um, y_um
        step, within_s = divmod(elapsed_s, MOVE_S + PAUSE_S)
        share = min(1.0, within_s / MOVE_S)
        eased = (1 - math.cos(math.pi * share)) / 2
        start, end = _stop(int(step)), _stop(int(step) + 1)
        return start[0] + eased * (end[0] - start[0]), start[1] + eased * (end[1] - start[1])


def _stop(number: int) -> tuple[float, float]:
    """The places where the scan pauses: rows to the right and back in turn."""
    row, column = divmod(number, STEPS_PER_ROW + 1)
    if row % 2:
        column = STEPS_PER_ROW - column
    return column * STEP_UM, row * ROW_UM
