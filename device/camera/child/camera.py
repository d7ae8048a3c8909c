"""A camera that lives in another process: our side of it."""

from __future__ import annotations

import threading
import time

from hemonode.device.camera.child.channel import Message
from hemonode.device.camera.child.memory import SharedPicture
from hemonode.device.camera.child.process import CameraProcess, died_of
from hemonode.device.camera.contract import Camera, Control
from hemonode.device.camera.source import without_credentials
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

OPENS_WITHIN_S = 18.0
FIRST_WITHIN_S = 15.0
ANSWERS_WITHIN_S = 2.5
ENDS_WITHIN_S = 1.0


class ChildCamera(Camera):
    """Any camera, in a process of its own. One that does not answer in time is an error here, and can be killed."""

    def __init__(self, module: str, source: str, rate_hz: float | None, loop: bool) -> None:
        """Start the process and open the camera in it.

        Args:
            module: that has its `open_camera`.
            source: as for that function.
            rate_hz: as for that function.
            loop: as for that function.

        Raises:
            DeviceError: as that function; or it takes too long, or its process dies.
        """
        self.name = without_credentials(source)
        self._closed = False
        # Held by who uses a channel; `close` waits for them before it releases what they use.
        self._reading, self._asking, self._closing = threading.Lock(), threading.Lock(), threading.Lock()
        # Whether a picture was asked for and has not come; whether one ever came; whether an answer is still to come.
        self._asked = self._seen = self._owed = False
        self._room: SharedPicture | None = None
        self._process = CameraProcess()
        try:
            opened = self._open({"module": module, "source": source, "rate_hz": rate_hz, "loop": loop})
        except BaseException:
            # One that does not open shall not hold up the next try.
            self._close(grace_s=0.0)
            raise
        self.name = opened["name"]
        self.identity = opened["identity"]
        self.remarks = tuple(opened["remarks"])
        self.patience_s = opened["patience_s"]

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def read(self) -> Frame | None:
        """The newest picture, copied out of what the processes share."""
        with self._reading:
            self._check_open()
            told = self._next_picture()
            self.damaged = told["damaged"]
            if "ended" in told:
                return None
            assert self._room is not None
            pixels = self._room.get(told["height"], told["width"])
        return Frame(pixels, told["sequence"], told["captured_ns"], told["um_per_px"])

    def controls(self) -> tuple[Control, ...]:
        """The camera's."""
        return self._ask({"set": None})

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """At the camera."""
        return self._ask({"set": name, "value": value, "automatic": automatic})[0]

    def close(self) -> None:
        """End the process; killed, where its driver does not let go of the camera within a second."""
        self._close(ENDS_WITHIN_S)

    def _close(self, grace_s: float) -> None:
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._process.end(grace_s)
            with self._reading, self._asking:
                self._process.close()
                if self._room is not None:
                    self._room.close()

    def _open(self, wish: Message) -> Message:
        try:
            self._process.pictures.send(wish)
            answer = self._process.pictures.receive(time.monotonic() + OPENS_WITHIN_S)
        except EOFError:
            raise self._died() from None
        if answer is None:
            raise DeviceError(f"{self.name} did not open within {OPENS_WITHIN_S:g} s; plug it out and in again.")
        return _without_error(answer[0])

    def _next_picture(self) -> Message:
        within_s = self.patience_s if self._seen else max(FIRST_WITHIN_S, self.patience_s)
        pictures = self._process.pictures
        try:
            if not self._asked:
                pictures.send({})
            self._asked = True
            until_s = time.monotonic() + within_s
            answer = pictures.receive(until_s)
            while answer is not None and answer[0].keys() == {"damaged"}:
                self.damaged = answer[0]["damaged"]
                answer = pictures.receive(until_s)
        except EOFError:
            raise self._died() from None
        if answer is None:
            raise DeviceError(f"{self.name} gave no picture for {within_s:g} s; open it again, or plug it out and in.")
        self._asked = False
        self._seen = True
        told, descriptors = answer
        for descriptor in descriptors:
            room, self._room = self._room, None
            if room is not None:
                room.close()
            self._room = SharedPicture(descriptor, writeable=False)
        return _without_error(told)

    def _ask(self, question: Message) -> tuple[Control, ...]:
        with self._asking:
            self._check_open()
            questions = self._process.questions
            until_s = time.monotonic() + ANSWERS_WITHIN_S
            try:
                # What nobody waited for any more comes first. Questions that are not answered do not pile up.
                if self._owed and questions.receive(until_s) is None:
                    raise self._mute()
                self._owed = True
                questions.send(question)
                answer = questions.receive(until_s)
            except EOFError:
                raise self._died() from None
            if answer is None:
                raise self._mute()
            self._owed = False
        return tuple(Control(**control) for control in _without_error(answer[0])["controls"])

    def _check_open(self) -> None:
        if self._closed:
            raise DeviceError(f"{self.name} was closed; open it again to read from it.")

    def _mute(self) -> DeviceError:
        return DeviceError(f"{self.name} does not answer when asked about its settings; plug it out and in.")

    def _died(self) -> DeviceError:
        """Why the other end is closed. That end closes a little before the process has an exit status."""
        self._check_open()
        died = died_of(self._process.status(ENDS_WITHIN_S))
        return DeviceError(f"The process of {self.name} {died}; open it again, and see the log.")


def _without_error(told: Message) -> Message:
    if "error" in told:
        raise DeviceError(without_credentials(told["error"]))
    return told
