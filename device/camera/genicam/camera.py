"""A camera behind the GenTL producer of its maker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hemonode.device.camera.contract import PATIENCE_S, Camera, Control
from hemonode.device.camera.genicam.controls import Controls
from hemonode.device.camera.genicam.nodes import Nodes
from hemonode.device.camera.genicam.pixels import DECODERS
from hemonode.device.camera.genicam.producers import connect
from hemonode.device.camera.genicam.wishes import OPTIONS, set_up
from hemonode.device.camera.source import read_source
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

if TYPE_CHECKING:
    from harvesters.core import Harvester

_LOOKS_MS = 1
_FETCHES_S = 0.2
LEAVES_WITHIN_S = 0.8


class GenicamCamera(Camera):
    """Frames with the camera's own numbers. Their time is that of their arrival: the camera's clock is another."""

    def __init__(self, harvester: Harvester, acquirer: Any, nodes: Nodes, identity: str) -> None:  # noqa: ANN401
        """Begin to acquire; harvester and acquirer are this camera's from now on.

        Raises:
            DeviceError: the camera does not start.
        """
        self.name = nodes.camera
        self.identity = identity
        self._harvester = harvester
        self._acquirer = acquirer
        self._controls = Controls(nodes)
        self._last = -1
        self._ahead = 0
        self._closed = False
        self._in_use = threading.Lock()
        acquirer.add_callback(acquirer.Events.INCOMPLETE_BUFFER, _Call(self._note_damaged))
        # While the library waits for a picture it lets no other thread of this process run.
        acquirer.timeout_period_on_update_event_data_call = _LOOKS_MS
        with nodes.faults("start"):
            acquirer.start()

    def read(self) -> Frame:
        """The next picture that arrived whole."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            with self._in_use:
                if self._closed:
                    raise DeviceError(f"{self.name} was closed; open it again to read from it.")
                frame = self._next()
            if frame is not None:
                return frame
        raise DeviceError(f"{self.name} gave no whole picture for {PATIENCE_S:g} s; check its cable and its trigger.")

    def controls(self) -> tuple[Control, ...]:
        """Those of GenICam that matter at a microscope, as the camera has them."""
        return self._controls.all()

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """Set a value, or lock or unlock an automatic mode; both at once lock it at the value."""
        return self._controls.set(name, value, automatic)

    def close(self) -> None:
        """Stop and let go of the camera, unless its producer does not return: then it ends with its process."""
        self._closed = True
        if self._in_use.acquire(timeout=LEAVES_WITHIN_S):
            # It lets go of what was let go of before without a word.
            self._harvester.reset()
            self._in_use.release()

    def _next(self) -> Frame | None:
        """What came, if it did within a moment: closing shall not wait longer."""
        with self._faults():
            buffer = self._acquirer.try_fetch(timeout=_FETCHES_S)
        captured_ns = time.monotonic_ns()
        if buffer is None:
            return None
        with buffer:
            part = buffer.payload.components[0]
            # The memory is the producer's again afterwards: decoders copy.
            pixels = DECODERS[part.data_format](part.data, part.width, part.height)
            number = self._number(int(buffer.module.frame_id))
        if pixels is None:
            self._note_damaged()
            return None
        return Frame(pixels, number, captured_ns)

    def _number(self, told: int) -> int:
        """The camera's number, moved on where it does not rise: GigE Vision begins again after 65,535."""
        self._ahead += max(0, self._last + 1 - (told + self._ahead))
        self._last = told + self._ahead
        return self._last

    def _note_damaged(self) -> None:
        self.damaged += 1

    @contextmanager
    def _faults(self) -> Iterator[None]:
        from genicam.gentl import GenericException

        try:
            yield
        except GenericException as error:
            raise DeviceError(f"{self.name} stopped ({error}); open it again, or plug it out and in.") from error


class _Call:
    """A callback of harvesters, which asks for no more than this method."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def emit(self, context: object = None) -> None:  # noqa: ARG002
        self._call()


def open_camera(source: str, rate_hz: float | None, loop: bool) -> GenicamCamera:  # noqa: ARG001 - it has no end
    """Open "genicam:SERIAL" with the options width, height (px), format (as PixelFormat) and rate.

    Raises:
        DeviceError: an option is not usable, what it needs is not installed, or there is no such camera.
    """
    asked = read_source(source, OPTIONS)
    harvester, acquirer = connect(asked.place)
    try:
        nodes = Nodes(f"The camera {asked.place}", acquirer.remote_device.node_map)
        remarks = set_up(nodes, asked, rate_hz)
        camera = GenicamCamera(harvester, acquirer, nodes, source)
    except BaseException:
        harvester.reset()
        raise
    camera.remarks = remarks
    return camera
