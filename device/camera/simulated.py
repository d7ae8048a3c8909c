"""The camera of the simulated microscope: an endless smear under a moving stage."""

from __future__ import annotations

from hemonode.device.camera.contract import Camera
from hemonode.device.camera.pace import Pace
from hemonode.device.frame import Frame
from hemonode.device.smear.microscope import Microscope
from hemonode.device.smear.view import View
from hemonode.device.stage.simulated import SimulatedStage
from hemonode.errors import DeviceError

USUAL_RATE_HZ = 25.0
OPTIONS = ("seed", "stain", "rate", "white_cells", "z_um")


class SimulatedCamera(Camera):
    """Shows what lies under `stage`. The stage moves with the frames, so a run repeats exactly."""

    def __init__(
        self, microscope: Microscope, stage: SimulatedStage, rate_hz: float, identity: str = "simulated"
    ) -> None:
        self.name = "simulated microscope"
        self.identity = identity
        self.stage = stage
        self._microscope: Microscope | None = microscope
        self._rate_hz = rate_hz
        self._pace = Pace(rate_hz)
        self.patience_s = self._pace.patience_s
        self._sequence = 0

    def read(self) -> Frame:
        """The next frame; the smear never ends."""
        return self.read_with_truth()[0]

    def read_with_truth(self) -> tuple[Frame, View]:
        """The next frame, and the truth about it."""
        microscope = self._microscope
        if microscope is None:
            raise DeviceError("The simulated microscope was closed; open it again to read from it.")
        captured_ns = self._pace.wait()
        sequence = self._sequence
        self._sequence += 1
        position_um = self.stage.position_um(sequence / self._rate_hz)
        view = microscope.view(position_um, self.stage.z_um, moment=sequence)
        return Frame(view.pixels, sequence, captured_ns, view.um_per_px), view

    def close(self) -> None:
        """Forget the smear."""
        self._microscope = None


def open_camera(source: str, rate_hz: float | None, loop: bool) -> SimulatedCamera:  # noqa: ARG001 - a smear has no end
    """Open "simulated", or "simulated:option=value,…" with the options seed, stain, rate, white_cells and z_um.

    Raises:
        DeviceError: an option is unknown or its value not usable.
    """
    options = _options(source)
    microscope = Microscope(
        seed=int(_number(options, "seed", 0)),
        stain=options.get("stain", "lilac"),
        white_cells_per_view=_number(options, "white_cells", 0.7),
    )
    stage = SimulatedStage()
    stage.z_um = _number(options, "z_um", 0.0)
    rate = rate_hz if rate_hz is not None else _number(options, "rate", USUAL_RATE_HZ)
    camera = SimulatedCamera(microscope, stage, rate, source)
    # A fault in an option, and the slow first drawing, belong to opening.
    microscope.view(stage.position_um(0.0), stage.z_um)
    return camera


def _options(source: str) -> dict[str, str]:
    text = source.partition(":")[2]
    options: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if name not in OPTIONS or not equals or not value:
            raise DeviceError(
                f"The simulated microscope has no option {part!r}; write name=value with {', '.join(OPTIONS)}."
            )
        options[name] = value
    return options


def _number(options: dict[str, str], name: str, usual: float) -> float:
    text = options.get(name)
    if text is None:
        return usual
    try:
        return float(int(text)) if name == "seed" else float(text)
    except ValueError as error:
        kind = "a whole number" if name == "seed" else "a number"
        raise DeviceError(f"The option {name}={text} of the simulated microscope needs {kind}.") from error
