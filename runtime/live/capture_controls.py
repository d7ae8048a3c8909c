"""A camera's controls: asked with a deadline, and set again as a person left them after the camera was opened anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from hemonode.device.camera.contract import Camera, Control
from hemonode.errors import DeviceError

ANSWERS_WITHIN_S = 3.0

Answer = TypeVar("Answer")


class Wishes:
    """What a person set, by the control's name, in the order in which it was last set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[str, Control] = {}

    def note(self, control: Control) -> None:
        """A control as the camera took it."""
        with self._lock:
            self._taken.pop(control.name, None)
            self._taken[control.name] = control

    def carry_out(self, camera: Camera) -> tuple[str, ...]:
        """Set all of them at a camera that was opened again.

        Returns:
            A sentence for each that the camera did not take.
        """
        with self._lock:
            taken = tuple(self._taken.values())
        refused = []
        for control in taken:
            try:
                if control.automatic:
                    camera.set_control(control.name, automatic=True)
                else:
                    camera.set_control(control.name, value=control.value, automatic=control.automatic)
            except DeviceError as error:
                refused.append(f"{control.label} could not be set again: {error}")
        return tuple(refused)


class Asking:
    """Asks one camera, one question after the other, each in a thread that may be left behind."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._free = threading.Lock()

    def controls(self) -> tuple[Control, ...]:
        """See `Camera.controls`."""
        return self._ask(self._camera.controls)

    def set_control(self, name: str, value: float | None, automatic: bool | None) -> Control:
        """See `Camera.set_control`."""
        return self._ask(lambda: self._camera.set_control(name, value=value, automatic=automatic))

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        # Also held by a question that was left behind: no second one waits behind it for ever.
        if not self._free.acquire(timeout=ANSWERS_WITHIN_S):
            raise self._mute()
        asked = _Question(question, self._free)
        asked.thread.start()
        asked.thread.join(ANSWERS_WITHIN_S)
        if asked.thread.is_alive():
            raise self._mute()
        if asked.error is not None:
            raise asked.error
        return asked.answers[0]

    def _mute(self) -> DeviceError:
        return DeviceError(f"{self._camera.name} does not answer when asked about its settings; plug it out and in.")


class _Question(Generic[Answer]):
    def __init__(self, question: Callable[[], Answer], free: threading.Lock) -> None:
        self.answers: list[Answer] = []
        self.error: Exception | None = None
        self._question = question
        self._free = free
        self.thread = threading.Thread(target=self._run, name="capture-controls", daemon=True)

    def _run(self) -> None:
        try:
            self.answers.append(self._question())
        except Exception as error:  # raised again in the thread that asks
            self.error = error
        finally:
            self._free.release()
