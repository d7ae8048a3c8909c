"""What can be set at the simulated microscope: exposure, gain, white balance and focus."""

from __future__ import annotations

import dataclasses
import threading

from hemonode.device.camera.contract import Control, asked_control
from hemonode.device.smear.microscope import LARGEST_DEFOCUS_UM
from hemonode.device.smear.sensor import USUAL_EXPOSURE_MS, USUAL_WHITE_BALANCE_K, Sensor
from hemonode.device.stage.simulated import SimulatedStage

USUAL = (
    Control("exposure_ms", "Exposure", "ms", USUAL_EXPOSURE_MS, 0.1, 200.0, 0.1, automatic=False),
    Control("gain_db", "Gain", "dB", 0.0, 0.0, 24.0, 0.1),
    Control("white_balance_k", "White balance", "K", USUAL_WHITE_BALANCE_K, 2800.0, 9000.0, 50.0, automatic=False),
    Control("z_um", "Focus", "µm", 0.0, -LARGEST_DEFOCUS_UM, LARGEST_DEFOCUS_UM, 0.1),
)


class SimulatedControls:
    """The settings of one simulated microscope. Each may be read and set from any thread.

    Its automatic exposure knows the lamp, and keeps the picture as bright whatever the gain is.
    """

    def __init__(self, stage: SimulatedStage) -> None:
        self._stage = stage
        self._one_at_a_time = threading.Lock()
        self._now = {control.name: control for control in USUAL}

    def all(self) -> tuple[Control, ...]:
        """As they are now."""
        with self._one_at_a_time:
            self._look()
            return tuple(self._now.values())

    def set(self, camera: str, name: str, value: float | None, automatic: bool | None) -> Control:
        """As `Camera.set_control`."""
        with self._one_at_a_time:
            self._look()
            control = asked_control(camera, self._now.values(), name, value, automatic)
            if automatic is not None:
                control = dataclasses.replace(control, automatic=automatic, changeable=not automatic)
            if value is not None:
                control = dataclasses.replace(control, value=_on_step(control, value))
            self._now[name] = control
            if name == "z_um":
                self._stage.z_um = control.value
            self._choose()
            return self._now[name]

    def sensor(self) -> Sensor:
        """As the camera takes pictures now."""
        now = self._now
        return Sensor(now["exposure_ms"].value, now["gain_db"].value, now["white_balance_k"].value)

    def _look(self) -> None:
        """See where the focus is: others may move the stage, too."""
        self._now["z_um"] = dataclasses.replace(self._now["z_um"], value=self._stage.z_um)

    def _choose(self) -> None:
        """Set what is automatic."""
        gain = 10 ** (self._now["gain_db"].value / 20)
        for name, value in (("exposure_ms", USUAL_EXPOSURE_MS / gain), ("white_balance_k", USUAL_WHITE_BALANCE_K)):
            control = self._now[name]
            if control.automatic:
                self._now[name] = dataclasses.replace(control, value=_on_step(control, value))


def _on_step(control: Control, value: float) -> float:
    """The nearest value that the control can have."""
    steps = round((value - control.least) / control.step)
    return min(round(control.least + steps * control.step, 6), control.most)
