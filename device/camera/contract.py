"""What every camera does: give frames one after another until it is closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType

from hemonode.device.frame import Frame


class Camera(ABC):
    """A source of frames. Opened by its constructor, used by one thread, closed once.

    `name` is what a person calls it ("simulated microscope", a folder's name).
    """

    name: str

    @abstractmethod
    def read(self) -> Frame | None:
        """Wait for the next frame. None means that the source has ended (a file, not a camera).

        Raises:
            DeviceError: the source stalled, vanished or was closed.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the source. Calling it again does nothing."""

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
