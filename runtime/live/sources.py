"""The cameras and replays that a live view may show: those that were named, and what is plugged in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hemonode.device.camera import camera_kind, open_camera
from hemonode.device.camera.contract import Camera
from hemonode.device.camera.find import FoundCamera, find_cameras
from hemonode.device.camera.source import without_credentials
from hemonode.errors import UnknownNameError


@dataclass(frozen=True)
class Source:
    """One that may be chosen.

    Attributes:
        id: tells it from the others, and nothing about where it lies.
        name: what a person calls it.
        kind: a key of `hemonode.device.camera.CAMERAS`.
        text: as `open_camera` takes it.
        rate_hz: pictures a second; None is what is usual for it.
    """

    id: str
    name: str
    kind: str
    text: str
    rate_hz: float | None = None

    def open(self, identity: str | None = None) -> Camera:
        """Open it; `identity`, of a camera that was opened before, finds the very same one again.

        Raises:
            DeviceError: it is not there, or gives no pictures.
        """
        return open_camera(identity or self.text, rate_hz=self.rate_hz)


def named_source(text: str, name: str | None = None, rate_hz: float | None = None) -> Source:
    """A source as a person wrote it.

    Raises:
        DeviceError: it names no camera and no file.
    """
    kind = camera_kind(text)
    return Source(_identity(text), name or _spoken(text, kind), kind, text, rate_hz)


class Sources:
    """All that may be chosen now.

    Args:
        named: by the user; they come first, also while they are away.
        find: what is plugged in.
    """

    def __init__(self, named: Sequence[Source], find: Callable[[], Sequence[FoundCamera]] = find_cameras) -> None:
        self._named = tuple(named)
        self._find = find

    def all(self) -> tuple[Source, ...]:
        """Those that were named, then those found that were not."""
        known = {source.id for source in self._named}
        found = (Source(_identity(camera.source), camera.name, camera.kind, camera.source) for camera in self._find())
        return (*self._named, *(source for source in found if source.id not in known))

    def find(self, source_id: str) -> Source:
        """The source with an id.

        Raises:
            UnknownNameError: there is none (any more).
        """
        for source in self.all():
            if source.id == source_id:
                return source
        raise UnknownNameError("There is no such source any more; choose one of the list, or plug the camera in again.")


def _spoken(text: str, kind: str) -> str:
    """What a person would call it, without where on the disk it lies, and without a password."""
    if kind == "simulated":
        return "simulated microscope" + text.removeprefix("simulated").replace(":", ", ")
    return Path(text).name if kind in ("folder", "video") else without_credentials(text)


def _identity(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
