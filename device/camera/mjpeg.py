"""Pictures over HTTP, one after another in one answer (multipart/x-mixed-replace), as network cameras send them.

FFmpeg reads these, too, but paints over what is missing of a picture; here one that did not arrive whole is dropped.
"""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from hemonode.device.camera.contract import PATIENCE_S, Camera
from hemonode.device.camera.source import without_credentials
from hemonode.device.camera.v4l2.decode import Layout, decode
from hemonode.device.frame import Frame
from hemonode.device.picture_header import picture_size
from hemonode.errors import DeviceError

LARGEST_BYTES = 1 << 26
LARGEST_SIDE_PX = 16384
_LONGEST_LINE = 1 << 16
_JPEG = b"\xff\xd8\xff"


class MjpegCamera(Camera):
    """JPEG pictures as they come; their time is when they began to arrive."""

    def __init__(
        self, answer: http.client.HTTPResponse, boundary: str, source: str, remarks: tuple[str, ...] = ()
    ) -> None:
        self.name = without_credentials(source)
        self.identity = source
        self.remarks = remarks
        self._answer = answer
        # Closing an answer that another thread reads breaks it; ending its connection does not.
        self._connection = socket.socket(fileno=os.dup(answer.fileno()))
        self._in_use = threading.Lock()
        # Some name it with the dashes that only stand before it.
        self._boundary = b"--" + boundary.removeprefix("--").encode()
        # Behind a boundary that was needed to find the end of the picture before it.
        self._at_part = False
        self._sequence = 0
        self._closed = False

    def read(self) -> Frame:
        """The next picture that arrived whole."""
        try:
            with self._in_use:
                while not self._closed:
                    frame = self._next()
                    if frame is not None:
                        return frame
        except TimeoutError as error:
            raise DeviceError(f"{self.name} sent nothing for {PATIENCE_S:g} s; check its network.") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            if not self._closed:
                raise DeviceError(f"{self.name} broke off ({error}); open it again.") from error
        raise DeviceError(f"{self.name} was closed; open it again to read from it.")

    def close(self) -> None:
        """Hang up; who waits for a picture hears of it."""
        self._closed = True
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        with self._in_use:
            self._connection.close()
            self._answer.close()

    def _next(self) -> Frame | None:
        if not self._at_part:
            self._up_to_boundary()
        length = self._length()
        # The head of a part comes with its picture.
        began_ns = time.monotonic_ns()
        data = self._up_to_boundary() if length is None else self._exactly(length)
        self._at_part = length is None
        sequence, self._sequence = self._sequence, self._sequence + 1
        pixels = _decoded(data)
        if pixels is None:
            self.damaged += 1
            return None
        return Frame(pixels, sequence, began_ns)

    def _length(self) -> int | None:
        """How many bytes a part says it has, where it says so."""
        length = None
        while line := self._line().strip():
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        if length is not None and not 0 <= length <= LARGEST_BYTES:
            raise ValueError(f"it announced a picture of {length} bytes")
        return length

    def _up_to_boundary(self) -> bytes:
        found = bytearray()
        while not (line := self._line()).startswith(self._boundary):
            found += line
            if len(found) > LARGEST_BYTES:
                raise ValueError("what it sends has no boundaries")
        return bytes(found).removesuffix(b"\r\n")

    def _exactly(self, length: int) -> bytes:
        data = self._answer.read(length)
        if len(data) < length:
            raise ConnectionError("the connection ended within a picture")
        return data

    def _line(self) -> bytes:
        line = self._answer.readline(_LONGEST_LINE)
        if not line:
            raise ConnectionError("the connection ended")
        return line


def open_pictures(source: str, remarks: tuple[str, ...] = ()) -> MjpegCamera | None:
    """Ask an address (http, https) for pictures; None where it answers with something else.

    Raises:
        DeviceError: nobody answers there, or not to us.
    """
    name = without_credentials(source)
    try:
        opener, address = _opener(source)
        answer = opener.open(address, timeout=PATIENCE_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 403):
            raise DeviceError(f"{name} refuses this user and password; give them as http://USER:PASSWORD@….") from None
        raise DeviceError(f"{name} answers {error.code} ({error.reason}); check the address.") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DeviceError(f"{name} does not answer ({reason}); check the address, and whether it is on.") from None
    boundary = answer.headers.get_boundary()
    if answer.headers.get_content_type() != "multipart/x-mixed-replace" or not boundary:
        answer.close()
        return None
    return MjpegCamera(answer, boundary, source, remarks)


def _opener(source: str) -> tuple[urllib.request.OpenerDirector, str]:
    """What asks in the way the camera wants to be asked, and the address without user and password."""
    parts = urllib.parse.urlsplit(source)
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    # Cameras are near: a proxy is for what is far.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if parts.username is not None:
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        user, password = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
        known.add_password(None, address, user, password)
        handlers += [urllib.request.HTTPDigestAuthHandler(known), urllib.request.HTTPBasicAuthHandler(known)]
    return urllib.request.build_opener(*handlers), address


def _decoded(data: bytes) -> npt.NDArray[np.uint8] | None:
    """uint8 [H, W, 3] BGR, or None where it did not arrive whole or is no JPEG."""
    size = picture_size(data, "JPEG") if data.startswith(_JPEG) else None
    if size is None or max(size) > LARGEST_SIDE_PX:
        return None
    return decode(data, Layout("JPEG", *size, 0))
