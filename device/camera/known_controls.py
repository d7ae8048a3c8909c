"""A camera's controls in our names and units: which of those known it has, and setting one at a time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from hemonode.device.camera.contract import Control, asked_control


class Named(Protocol):
    """A control that a camera may have."""

    @property
    def name(self) -> str:
        """As in `Control`."""
        ...


KnownT = TypeVar("KnownT", bound=Named)


class KnownControls(ABC, Generic[KnownT]):
    """What can be set at one camera, from any thread. What a driver calls it, its subclass knows.

    Args:
        camera: its name, for sentences.
        candidates: it is asked which of them it has; of two with one name the first is taken.

    Raises:
        DeviceError: it does not answer.
    """

    def __init__(self, camera: str, candidates: Iterable[KnownT]) -> None:
        self._camera = camera
        # A value and its automatic mode, a selector and what it selects belong together.
        self._one_at_a_time = threading.Lock()
        self._known: dict[str, KnownT] = {}
        for known in candidates:
            if self._has(known):
                self._known.setdefault(known.name, known)

    def all(self) -> tuple[Control, ...]:
        """As they are now."""
        with self._one_at_a_time:
            return tuple(self._now())

    def set(self, name: str, value: float | None, automatic: bool | None) -> Control:
        """As `Camera.set_control`."""
        with self._one_at_a_time:
            asked_control(self._camera, self._now(), name, value, automatic)
            known = self._known[name]
            if automatic is not None:
                self._switch(known, automatic)
            if value is not None:
                self._write(known, value)
            control = self._read(known)
        assert control is not None
        return control

    def _now(self) -> Iterator[Control]:
        for known in self._known.values():
            control = self._read(known)
            if control is not None:
                yield control

    def _has(self, known: KnownT) -> bool:
        return self._read(known) is not None

    @abstractmethod
    def _read(self, known: KnownT) -> Control | None:
        """The control as it is, or None where the camera has none."""

    @abstractmethod
    def _switch(self, known: KnownT, automatic: bool) -> None:
        """Give it to the camera, or take it back; only for one with such a mode."""

    @abstractmethod
    def _write(self, known: KnownT, value: float) -> None:
        """Set its value, which lies within its range."""


def rounded(value: float) -> float:
    """Without the noise of multiplying by 0.1 or 0.001."""
    return round(value, 6)
