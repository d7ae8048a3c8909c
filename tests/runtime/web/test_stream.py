"""The stream: one encoder for all pages, latest frame only for slow ones, and nothing grows for those that vanish."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import struct
import threading
import time
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.shown import MOST_BYTES, MOST_RESULTS, Shown

HANDSHAKE = (
    b"GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def receive_for(stream, span_s):
    """Numbers of the packets that come in a time, each confirmed as drawn; and of the statuses."""
    packets, statuses = [], 0
    end = time.monotonic() + span_s
    while time.monotonic() < end:
        message = stream.recv(timeout=20)
        if isinstance(message, str):
            statuses += 1
            continue
        (header_bytes,) = struct.unpack_from("<I", message)
        packets.append(json.loads(message[4 : 4 + header_bytes])["number"])
        stream.send(f"drawn {packets[-1]}")
    return packets, statuses


def closing_code(stream):
    """The code by which the server ends a stream; None where the cut came before its word: more was being sent."""
    while True:
        try:
            stream.recv(timeout=20)
        except ConnectionClosed as closed:
            return closed.rcvd and closed.rcvd.code


def memory_mb():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def test_a_program_gets_pictures_masks_and_counts(served, web):
    with served.stream() as stream:
        header, picture, mask = web.unpack(web.next_packet(stream))
        assert picture.shape == (480, 640, 3)
        assert mask.shape == (480, 640)
        assert set(np.unique(mask)) == {0, 1, 2, 3}
        assert len(header["cells"]) == sum(count["visible"] for count in header["counts"])
        assert header["um_per_px"] == pytest.approx(7.5 / header["red_cell_px"], abs=1e-4)
        assert (header["setting"], header["engine"]) == ("tol1e-3", "stand-in")
        assert 0 <= header["captured_ms_ago"] < 60_000
        stream.send(f"drawn {header['number']}")
        assert web.unpack(web.next_packet(stream))[0]["number"] > header["number"]


def test_the_status_comes_twice_a_second_and_is_valid_json(web):
    view = web.StandinView()
    status = view.status

    def with_no_number():
        found = status()
        return type(found)(**{**found.__dict__, "rate_hz": float("nan")})

    view.hub._status = with_no_number
    with web.serving(view) as served, served.stream() as stream:
        texts = [
            message for _ in range(60) if isinstance(message := stream.recv(timeout=20), str) or _draw(stream, message)
        ]
        texts = [text for text in texts if isinstance(text, str)]
        assert json.loads(texts[0], parse_constant=pytest.fail)["rate_hz"] is None


def _draw(stream, message):
    (header_bytes,) = struct.unpack_from("<I", message)
    stream.send(f"drawn {json.loads(message[4 : 4 + header_bytes])['number']}")


def test_what_the_page_waits_for_is_measured_from_capture_to_drawn(web):
    with web.serving() as served, served.stream() as stream:
        receive_for(stream, 1.0)
        page = served.browser.get("/api/status").json()["stages"]["page"]
        assert 0 < page["p50_ms"] < 5_000


def test_a_page_that_confirms_nothing_is_not_flooded_and_others_go_on(served):
    with served.stream() as silent, served.stream() as watching:
        assert len(receive_for(watching, 1.5)[0]) > 5
        pictures = 0
        try:
            while True:
                pictures += not isinstance(silent.recv(timeout=0), str)
        except TimeoutError:
            pass
        assert 1 <= pictures <= 2


def test_twenty_pages_are_fed_from_one_encoder_and_one_status(web):
    view = web.StandinView()
    asked, status = [], view.status
    view.hub._status = lambda: (asked.append(1), status())[1]
    got = []
    with web.serving(view) as served, ExitStack() as pages:
        streams = [pages.enter_context(served.stream()) for _ in range(20)]
        threads = [
            threading.Thread(target=lambda stream=stream: got.append(receive_for(stream, 2.0))) for stream in streams
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        numbers = {number for packets, _ in got for number in packets}
        assert len(got) == 20
        assert all(len(packets) > 5 for packets, _ in got)
        # Were there an encoder for each, the numbers would be twenty times as many as the results.
        assert max(numbers) <= view.results
        assert len(asked) <= 10


def test_too_many_pages_are_turned_away_with_a_reason(web):
    with web.serving(limits=Limits(pages=3)) as served, ExitStack() as pages:
        for _ in range(3):
            pages.enter_context(served.stream()).recv(timeout=20)
        late = pages.enter_context(served.stream())
        with pytest.raises(ConnectionClosedError, match="close one"):
            late.recv(timeout=20)
        assert served.refusals.counts() == {"pages": 1}


def vanish(served):
    """A page whose network is gone: it opens the stream and then neither reads nor answers, and never closes."""
    gone = socket.socket()
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    gone.connect(("127.0.0.1", served.port))
    gone.sendall(HANDSHAKE)
    return gone


def test_pages_that_vanish_are_let_go_and_the_others_notice_nothing(web):
    with web.serving(limits=Limits(ping_s=0.5, send_s=1.5)) as served, served.stream() as watching:
        before = len(receive_for(watching, 1.0)[0])
        gone = [vanish(served) for _ in range(8)]
        web.wait_until(lambda: served.view.hub.clients == 9)
        receive_for(watching, 0.5)
        held = memory_mb()
        during = len(receive_for(watching, 1.0)[0])
        # Eight that take nothing hold two packets each, not all that came since.
        assert memory_mb() - held < 20
        assert during > before / 2
        web.wait_until(lambda: not receive_for(watching, 0.1)[1] and served.view.hub.clients == 1)
        for one in gone:
            one.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (os.urandom(200), 1003),
        (b"", 1003),
        ("drawn", 1003),
        ("drawn 7 8", 1003),
        ("drawn ٣", 1003),
        ("drawn -1", 1003),
        ('{"subscribe": "everything"}', 1003),
        ("", 1003),
        ("x" * 5000, 1009),
    ],
)
def test_what_is_no_confirmation_ends_the_connection(served, said, code):
    with served.stream() as stream:
        stream.recv(timeout=20)
        stream.send(said)
        assert closing_code(stream) == code
    assert served.refusals.counts()["message"] > 0
    assert served.alive()


def test_a_message_in_endless_pieces_ends_the_connection_too(served, web):
    with served.stream() as stream:
        with suppress(ConnectionClosed):
            stream.send(b"x" * 100 for _ in range(100_000))
        assert closing_code(stream) in (1009, None)
    web.wait_until(lambda: served.view.hub.clients == 0)


def test_a_huge_message_ends_the_connection_and_is_not_held(served, web):
    held = memory_mb()
    with served.raw() as raw:
        raw.sendall(HANDSHAKE)
        assert raw.recv(12) == b"HTTP/1.1 101"
        raw.sendall(b"\x82\xff" + struct.pack(">Q", 100 * 2**20) + b"mask")
        with suppress(OSError):
            for _ in range(100):
                raw.sendall(bytes(2**20))
            pytest.fail("all of it was taken")
    web.wait_until(lambda: served.view.hub.clients == 0)
    assert memory_mb() - held < 20


def test_a_page_that_confirms_what_it_never_got_is_let_go(served):
    with served.stream() as stream:
        with suppress(ConnectionClosed):
            for number in range(100):
                stream.send(f"drawn {10**9 + number}")
        assert closing_code(stream) == 1008


def test_bytes_that_are_no_websocket_after_the_handshake_end_the_connection(served):
    with served.raw() as raw:
        raw.sendall(HANDSHAKE)
        assert raw.recv(12) == b"HTTP/1.1 101"
        raw.sendall(b"\xff" * 1000)
        while raw.recv(65536):
            pass
    assert served.alive()


def test_results_that_were_shown_are_kept_within_a_bound():
    def result(nbytes):
        pixels = SimpleNamespace(nbytes=nbytes)
        return SimpleNamespace(frame=SimpleNamespace(pixels=pixels), segmentation=SimpleNamespace(class_ids=pixels))

    shown = Shown(lambda: (7, 3))
    for number in range(100):
        shown.keep(number, result(1000))
    assert [number for number in range(100) if shown.find(number)] == [3, 7, *range(102 - MOST_RESULTS, 100)]
    for number in range(100, 110):
        shown.keep(number, result(MOST_BYTES // 8))
    assert [number for number in range(110) if shown.find(number)] == [3, 7, *range(107, 110)]
    shown.keep(110, result(MOST_BYTES))
    assert [number for number in range(111) if shown.find(number)] == [110]
