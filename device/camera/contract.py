"""What every camera does: give frames one after another until it is closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType

from hemonode.device.frame import Frame
from hemonode.errors import DeviceError


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
        changeable: whether `value` can be set now.
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


class Camera(ABC):
    """A source of frames. Opened by its constructor, read by one thread, closed once.

    Attributes:
        name: what a person calls it ("simulated microscope", a folder's name).
        identity: what finds the very same one again, whatever number it has then; a source for `open_camera`.
        damaged: pictures that arrived incomplete and were dropped; they leave a gap in the numbers, too.
    """

    name: str
    identity: str
    damaged: int = 0

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
