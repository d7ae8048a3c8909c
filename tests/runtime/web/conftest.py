"""What the tests of the server share: a stand-in live view behind a real server, and what a client does with it."""

from __future__ import annotations

import json
import socket
import struct
import threading
import zlib
from contextlib import contextmanager
from types import SimpleNamespace

import cv2
import httpx
import numpy as np
import pytest
from live_standins import wait_until
from live_view_standin import StandinView
from websockets.sync.client import connect

from hemonode.runtime.web.access import Access
from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.refusals import Refusals
from hemonode.runtime.web.server import LiveServer, build_app, listen

TOKEN = "correct-horse-battery"


class Served:
    """A view behind a server: `address` is "127.0.0.1:PORT"; `browser` asks it, as a program would."""

    def __init__(self, view, port, refusals, scheme):
        self.view, self.port, self.refusals = view, port, refusals
        self.address = f"127.0.0.1:{port}"
        self.url = f"{scheme}://{self.address}"
        self.browser = httpx.Client(base_url=self.url, timeout=20, verify=False)

    def stream(self, **options):
        return connect(f"ws://{self.address}/stream", **options)

    def raw(self, timeout_s=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout_s)

    def alive(self):
        return self.browser.get("/health").status_code == 200


@contextmanager
def serving(view=None, token=None, limits=None, names=(), tls=None, headless=False):
    view = view or StandinView()
    limits, refusals = limits or Limits(), Refusals()
    listener = listen("127.0.0.1", 0, limits, refusals)
    access = Access("127.0.0.1", token, names, secure=tls is not None)
    app = build_app(view, view.hub, access, limits, refusals, headless=headless)
    server = LiveServer(app, view.hub, limits=limits, tls=tls)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    view.start()
    thread.start()
    wait_until(lambda: server.started)
    served = Served(view, listener.getsockname()[1], refusals, "https" if tls else "http")
    try:
        with served.browser:
            yield served
    finally:
        server.should_exit = True
        thread.join(10)
        assert view.stop()
        assert not thread.is_alive(), "the server did not stop"


def next_packet(stream):
    """Number and size of the next binary message, and all that it holds on demand."""
    while isinstance(message := stream.recv(timeout=20), str):
        pass
    return message


def unpack(message):
    """Header, picture and mask of a packet."""
    (header_bytes,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + header_bytes])
    jpeg = message[4 + header_bytes :][: header["jpeg_bytes"]]
    packed = message[4 + header_bytes + header["jpeg_bytes"] :]
    mask = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(header["mask_height"], header["mask_width"])
    return header, cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), mask


@pytest.fixture(scope="session")
def web() -> SimpleNamespace:
    """The classes and functions of this file."""
    return SimpleNamespace(
        StandinView=StandinView,
        serving=serving,
        next_packet=next_packet,
        unpack=unpack,
        wait_until=wait_until,
        TOKEN=TOKEN,
    )


@pytest.fixture(scope="module")
def served():
    """A live view that a whole file of tests asks; it is open to this machine."""
    with serving() as one:
        wait_until(lambda: one.view.results > 2)
        yield one
