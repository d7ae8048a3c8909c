"""The camera of the simulated microscope: an endless smear under a moving stage."""

from __future__ import annotations

from hemonode.device.camera.contract import Camera, Control
from hemonode.device.camera.pace import Pace
from hemonode.device.camera.preset import preset
from hemonode.device.camera.simulated_controls import USUAL, SimulatedControls
from hemonode.device.camera.source import Source, read_source
from hemonode.device.frame import Frame
from hemonode.device.smear.microscope import Microscope
from hemonode.device.smear.view import View
from hemonode.device.stage.simulated import SimulatedStage
from hemonode.errors import DeviceError

USUAL_RATE_HZ = 25.0
SLIDE = ("seed", "stain", "white_cells", "width", "height", "red_cell_px")
STAGE = ("x_um", "y_um", "pan_x_um_s", "pan_y_um_s")
CONTROLS = tuple(control.name for control in USUAL)
OPTIONS = (*SLIDE, *STAGE, "rate", *CONTROLS)


class SimulatedCamera(Camera):
    """Shows what lies under `stage`. The stage moves with the frames, so a run repeats exactly."""

    def __init__(
        self, microscope: Microscope, stage: SimulatedStage, rate_hz: float, identity: str = "simulated"
    ) -> None:
        self.name = "simulated microscope"
        self.identity = identity
        self.stage = stage
        self._microscope = microscope
        self._controls = SimulatedControls(stage)
        self._rate_hz = rate_hz
        self._pace = Pace(rate_hz)
        self.patience_s = self._pace.patience_s
        self._sequence = 0

    def read(self) -> Frame:
        """The next frame; the smear never ends."""
        return self.read_with_truth()[0]

    def read_with_truth(self) -> tuple[Frame, View]:
        """The next frame, and the truth about it."""
        captured_ns = self._pace.wait()
        if captured_ns is None:
            raise DeviceError("The simulated microscope was closed; open it again to read from it.")
        sequence = self._sequence
        self._sequence += 1
        position_um = self.stage.position_um(sequence / self._rate_hz)
        view = self._microscope.view(position_um, self.stage.z_um, moment=sequence, sensor=self._controls.sensor())
        return Frame(view.pixels, sequence, captured_ns, view.um_per_px), view

    def controls(self) -> tuple[Control, ...]:
        """Exposure, gain, white balance and focus."""
        return self._controls.all()

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """Set one, or have the camera choose it."""
        return self._controls.set(self.name, name, value, automatic)

    def close(self) -> None:
        """End the read that waits, and give no more frames."""
        self._pace.stop()


def open_camera(source: str, rate_hz: float | None, loop: bool) -> SimulatedCamera:  # noqa: ARG001 - a smear has no end
    """Open "simulated", or "simulated:option=value,…".

    The options are seed, stain, white_cells (in a view), width, height, red_cell_px and rate; x_um and y_um, where the
    stage stays, and pan_x_um_s and pan_y_um_s, at which it moves on from there; and the name of each control.

    Raises:
        DeviceError: an option is unknown or its value not usable.
    """
    asked = read_source(source, OPTIONS)
    if asked.place:
        raise DeviceError(f"simulated: has no option {asked.place!r}; write name=value with {', '.join(OPTIONS)}.")
    rate = rate_hz if rate_hz is not None else asked.number("rate")
    microscope, stage = _microscope(asked), _stage(asked)
    camera = SimulatedCamera(microscope, stage, USUAL_RATE_HZ if rate is None else rate, source)
    preset(camera, asked, CONTROLS)
    # A fault in an option, and the slow first drawing, belong to opening.
    microscope.view(stage.position_um(0.0), stage.z_um)
    return camera


def _microscope(asked: Source) -> Microscope:
    seed, height, width = (asked.whole(name) for name in ("seed", "height", "width"))
    red_cell_px, white_cells = asked.number("red_cell_px"), asked.number("white_cells")
    return Microscope(
        seed=0 if seed is None else seed,
        stain=asked.options.get("stain", "lilac"),
        height=480 if height is None else height,
        width=640 if width is None else width,
        red_cell_px=90.0 if red_cell_px is None else red_cell_px,
        white_cells_per_view=0.7 if white_cells is None else white_cells,
    )


def _stage(asked: Source) -> SimulatedStage:
    stage = SimulatedStage()
    x_um, y_um, pan_x_um_s, pan_y_um_s = (asked.number(name) for name in STAGE)
    if any(name in asked.options for name in STAGE):
        stage.pan(x_um or 0.0, y_um or 0.0, pan_x_um_s or 0.0, pan_y_um_s or 0.0)
    return stage
