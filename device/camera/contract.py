"""What every camera does: give frames one after another until it is closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

PATIENCE_S = 5.0
"""How long a camera may usually give no picture before it counts as stalled."""


@dataclass(frozen=True)
class Control:
    """One thing that can be set at a camera.

    Attributes:
        name: with its unit, the same for all cameras that have it: "exposure_ms", "gain_db", "gain", "white_balance_k",
            "brightness", …
        label: for a person: "Exposure".
        unit: "ms", "dB", "K", or "" for a number without one.
        value: now.
        least, most, step: that it can be set to.
        automatic: whether the camera chooses the value itself now; None where it has no such mode.
        changeable: whether `value` can be set now. Not while the camera chooses it: lock it first.
    """

    name: str
    label: str
    unit: str
    value: float
    least: float
    most: float
    step: float
    automatic: bool | None = None
    changeable: bool = True


def asked_control(
    camera: str, controls: Iterable[Control], name: str, value: float | None, automatic: bool | None
) -> Control:
    """The control that shall be set, once what is asked of it is known to make sense.

    Args:
        camera: its name, for the sentence.
        controls: as they are now.
        name: as for `Camera.set_control`.
        value: as for `Camera.set_control`.
        automatic: as for `Camera.set_control`.

    Raises:
        DeviceError: no such control, nothing asked, out of range, or not to be set now.
    """
    known = {control.name: control for control in controls}
    control = known.get(name)
    if control is None:
        raise DeviceError(f"{camera} has no control {name!r}; it has {', '.join(known) or 'none'}.")
    if automatic is not None and control.automatic is None:
        raise DeviceError(f"{camera} cannot choose {name} by itself; give a value.")
    if value is None:
        if automatic is None:
            raise DeviceError(f"Nothing was asked of {name}; give a value, or whether {camera} shall choose it.")
        return control
    if not control.least <= value <= control.most:
        to = f"{control.most:g} {control.unit}".rstrip()
        raise DeviceError(f"{camera} cannot take {name} = {value:g}; give {control.least:g} to {to}.")
    if automatic or (automatic is None and control.automatic):
        raise DeviceError(f"{camera} chooses {name} by itself now; switch that off to set a value.")
    if not control.changeable and not (automatic is False and control.automatic):
        raise DeviceError(f"{name} of {camera} cannot be changed now.")
    return control


class Camera(ABC):
    """A source of frames. Opened by its constructor, read by one thread, closed once.

    Attributes:
        name: what a person calls it ("simulated microscope", a folder's name).
        identity: what finds the very same one again, whatever number it has then; a source for `open_camera`.
        damaged: pictures that arrived incomplete and were dropped; they leave a gap in the numbers, too.
        remarks: what it does otherwise than it was asked to when it was opened, one sentence each.
        patience_s: how long it may give no picture before it counts as stalled; longer than its longest exposure.
    """

    name: str
    identity: str
    damaged: int = 0
    remarks: tuple[str, ...] = ()
    patience_s: float = PATIENCE_S

    @abstractmethod
    def read(self) -> Frame | None:
        """Wait for the next frame. None means that the source has ended (a file, not a camera).

        Raises:
            DeviceError: the source stalled, vanished or was closed.
        """

    def controls(self) -> tuple[Control, ...]:
        """What can be set, as it is now. From any thread.

        Raises:
            DeviceError: the camera does not answer.
        """
        return ()

    def set_control(
        self,
        name: str,
        *,
        value: float | None = None,  # noqa: ARG002 - for cameras that have controls
        automatic: bool | None = None,  # noqa: ARG002
    ) -> Control:
        """Set a value, or let the camera choose it. From any thread.

        Returns:
            The control as the camera took it: drivers round.

        Raises:
            DeviceError: no such control, out of range, or the camera refuses.
        """
        raise DeviceError(f"{self.name} has no control {name!r}.")

    @abstractmethod
    def close(self) -> None:
        """Release the source, from any thread; a `read` that waits ends with a DeviceError. Again does nothing."""

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
