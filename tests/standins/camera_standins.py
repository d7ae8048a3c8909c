"""Cameras that misbehave, to be opened in a process of their own, and a network camera. Imported by those, too."""

from __future__ import annotations

import base64
import ctypes
import itertools
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

from hemonode.device.camera.contract import Camera, Control
from hemonode.device.frame import Frame

SHADES = 251


def jpeg(value, width=160, height=120):
    """A picture of one grey, as a camera would send it."""
    return cv2.imencode(".jpg", np.full((height, width, 3), value, np.uint8))[1].tobytes()


class OddCamera(Camera):
    """Pictures of one shade each, sequence modulo SHADES, WIDTHxHEIGHT; `oddity` says what is wrong with it."""

    def __init__(self, oddity, width, height, rate_hz):
        self.name = f"odd camera ({oddity})"
        self.identity = f"odd:{oddity},{width},{height}"
        self.patience_s = 0.6 if oddity == "hangs" else 5.0
        self._oddity, self._width, self._height = oddity, width, height
        self._pause_s = 1 / rate_hz if rate_hz else 0.0
        self._numbers = itertools.count()

    def read(self):
        number = next(self._numbers)
        time.sleep(self._pause_s)
        width = self._width
        if number >= 2:
            if self._oddity == "hangs":
                threading.Event().wait()
            if self._oddity == "keeps the interpreter":
                # PyDLL keeps the lock that all threads need.
                ctypes.PyDLL(None).sleep(600)
            if self._oddity == "crashes":
                ctypes.string_at(0)
            if self._oddity == "throws":
                raise RuntimeError("voltage at http://me:secret@camera/?pwd=secret is low")
        if self._oddity == "changes its size":
            width += 16 * (number % 7)
        self.damaged = number // 2
        return Frame(np.full((self._height, width, 3), number % SHADES, np.uint8), number, time.monotonic_ns(), 0.25)

    def controls(self):
        if self._oddity == "does not answer":
            threading.Event().wait()
        return (Control("gain", "Gain", "", 1.0, 0.0, 2.0, 0.1),)

    def close(self):
        if self._oddity == "does not close":
            threading.Event().wait()


def open_camera(source, rate_hz, loop):
    """Open "odd:ODDITY,WIDTH,HEIGHT"."""
    oddity, width, height = source.partition(":")[2].split(",")
    if oddity == "does not open":
        threading.Event().wait()
    return OddCamera(oddity, int(width), int(height), rate_hz)


class MjpegServer:
    """A network camera on this machine. Use it as a context manager.

    Attributes:
        parts: what it sends on and on, each the body of a part, or bytes ending in CUT after which it hangs up.
        lengths: whether it tells how long a picture is.
        login: "user:password" that it asks for, or None.
        head: more lines of the head of each part.
        file: what it sends instead, once, as `content_type`.
        silent: while set, it sends nothing.
        content_type: of its answer.
    """

    CUT = b"<cut>"

    def __init__(self, parts=None, rate_hz=100.0):
        self.parts = parts or [jpeg(value) for value in range(20, 240, 20)]
        self.pause_s = 1 / rate_hz
        self.lengths = True
        self.login = None
        self.head = ""
        self.file = None
        self.silent = threading.Event()
        self.content_type = "multipart/x-mixed-replace; boundary=next"
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                return

            def do_GET(self):
                try:
                    server._answer(self)
                except OSError:
                    return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, request):
        expected = None if self.login is None else f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if expected is not None and request.headers["Authorization"] != expected:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("Content-Type", self.content_type)
        if self.file is not None:
            request.send_header("Content-Length", str(len(self.file)))
        request.end_headers()
        if self.file is not None:
            request.wfile.write(self.file)
            return
        for part in itertools.cycle(self.parts):
            while self.silent.is_set():
                time.sleep(0.02)
            length = f"Content-Length: {len(part)}\r\n" if self.lengths else ""
            head = f"--next\r\nContent-Type: image/jpeg\r\n{self.head}{length}\r\n".encode()
            request.wfile.write(head + part.removesuffix(self.CUT) + b"\r\n" * (not part.endswith(self.CUT)))
            if part.endswith(self.CUT):
                return
            time.sleep(self.pause_s)
