"""A camera's settings ("nodes" of GenICam's GenApi), by the names of its Standard Features Naming Convention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hemonode.errors import DeviceError

# GenApi's numbers for what may be done with a node.
_READ_ONLY, _READ_WRITE = 3, 4


class Nodes:
    """Those that a camera has. From any thread: GenApi locks.

    Args:
        camera: its name, for sentences.
        node_map: of harvesters' remote device.
    """

    def __init__(self, camera: str, node_map: Any) -> None:  # noqa: ANN401 - it has no types
        self.camera = camera
        self._map = node_map

    def find(self, name: str) -> Any | None:  # noqa: ANN401
        """A node that can be read now, or None.

        Raises:
            DeviceError: the camera does not answer.
        """
        with self.faults(f"tell {name}"):
            if not self._map.has_node(name):
                return None
            node = getattr(self._map, name)
            return node if node.get_access_mode() in (_READ_ONLY, _READ_WRITE) else None

    def writeable(self, name: str) -> Any | None:  # noqa: ANN401
        """A node that can be set now, or None.

        Raises:
            DeviceError: the camera does not answer.
        """
        node = self.find(name)
        return node if node is not None and self.can_write(node) else None

    @staticmethod
    def can_write(node: Any) -> bool:  # noqa: ANN401
        """Whether it can be set now."""
        return bool(node.get_access_mode() == _READ_WRITE)

    def choose(self, name: str, choice: str) -> None:
        """Set one of several, where the camera has that node and lets it be set."""
        node = self.writeable(name)
        if node is not None:
            self.write(name, node, choice)

    def write(self, name: str, node: Any, value: object) -> None:  # noqa: ANN401
        """Set a node.

        Raises:
            DeviceError: the camera does not take it.
        """
        with self.faults(f"set {name} to {value}"):
            node.value = value

    @contextmanager
    def faults(self, doing: str) -> Iterator[None]:
        """Say in a sentence what GenApi throws; `doing` ends "The camera cannot …"."""
        from genicam.genapi import GenericException

        try:
            yield
        except GenericException as error:
            reason = str(error).partition(" : ")[0].rstrip(". ")
            raise DeviceError(f"{self.camera} cannot {doing} ({reason}); open it again.") from error
