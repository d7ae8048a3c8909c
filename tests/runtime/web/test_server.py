"""The live page's server: streams to programs, refuses strangers, and says whether it is well."""

from __future__ import annotations

import json
import struct
import zlib
from contextlib import ExitStack

import cv2
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from hemonode.errors import HemonodeError
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.hub import MOST_CLIENTS
from hemonode.runtime.web.server import listen

TOKEN = "correct-horse-battery"


def next_result(stream):
    """The next binary message of a stream, unpacked."""
    while isinstance(message := stream.recv(timeout=20), str):
        pass
    (header_bytes,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + header_bytes])
    jpeg = message[4 + header_bytes :][: header["jpeg_bytes"]]
    packed = message[4 + header_bytes + header["jpeg_bytes"] :]
    mask = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(header["mask_height"], header["mask_width"])
    return header, cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), mask


def test_a_program_gets_pictures_masks_and_counts(standins):
    with standins.serving(standins.make_session()) as address, connect(f"ws://{address}/stream") as stream:
        header, picture, mask = next_result(stream)
        assert picture.shape == (480, 640, 3)
        assert mask.shape == (480, 640)
        assert {count["id"]: count["visible"] for count in header["counts"]} == {1: 1, 2: 4, 3: 1}
        assert len(header["cells"]) == 6
        drawn = standins.draw_discs(header["sequence"])
        assert np.array_equal(mask > 0, (drawn != 235).any(axis=2))
        stream.send("drawn")
        assert next_result(stream)[0]["number"] > header["number"]


def test_a_page_that_confirms_nothing_is_not_flooded_and_others_go_on(standins):
    with (
        standins.serving(standins.make_session()) as address,
        connect(f"ws://{address}/stream") as silent,
        connect(f"ws://{address}/stream") as watching,
    ):
        for _ in range(12):
            next_result(watching)
            watching.send("drawn")
        pictures = 0
        try:
            while True:
                pictures += not isinstance(silent.recv(timeout=0), str)
        except TimeoutError:
            pass
        assert 1 <= pictures <= 2


def test_too_many_pages_are_turned_away_with_a_reason(standins):
    with standins.serving(standins.make_session()) as address, ExitStack() as pages:
        for _ in range(MOST_CLIENTS):
            pages.enter_context(connect(f"ws://{address}/stream")).recv(timeout=20)
        late = pages.enter_context(connect(f"ws://{address}/stream"))
        with pytest.raises(ConnectionClosedError, match="close one"):
            late.recv(timeout=20)


def test_status_and_health_follow_the_camera(standins):
    def never():
        raise OSError("still unplugged")

    session = standins.make_session(camera=standins.DiscCamera(fail_at=30), reopen=never)
    with standins.serving(session) as address, httpx.Client(base_url=f"http://{address}", timeout=20) as browser:
        assert browser.get("/health").status_code == 200
        standins.wait_until(lambda: browser.get("/health").status_code == 503)
        status = browser.get("/api/status").json()
        assert status["state"] == "trouble"
        assert status["source"]["name"] == "moving discs"
        assert status["stages"]["latency"]["p99_ms"] >= status["stages"]["latency"]["p50_ms"] > 0


def test_a_page_may_have_the_scale_measured_again(standins):
    session = standins.make_session()
    with standins.serving(session) as address:
        standins.wait_until(lambda: session.status()["results"] > 0)
        assert httpx.post(f"http://{address}/api/scale", timeout=20).json() == {"measuring": True}
        standins.wait_until(lambda: session.status()["drops"]["measuring"] == 4)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example"])
def test_other_sites_pages_can_neither_watch_nor_change_anything(standins, origin):
    with standins.serving(standins.make_session()) as address:
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://{address}/stream", origin=origin)
        answer = httpx.post(f"http://{address}/api/scale", headers={"Origin": origin}, timeout=20)
        assert answer.status_code == 403
        with connect(f"ws://{address}/stream", origin=f"http://{address}") as stream:
            assert stream.recv(timeout=20)


def test_a_foreign_name_for_this_machine_is_refused(standins):
    with standins.serving(standins.make_session()) as address:
        assert httpx.get(f"http://{address}/", headers={"Host": "evil.example:80"}, timeout=20).status_code == 403
        assert httpx.get(f"http://{address}/", headers={"Host": "localhost:1"}, timeout=20).status_code == 200


def test_no_inline_script_can_run(standins):
    with standins.serving(standins.make_session()) as address:
        policy = httpx.get(f"http://{address}/", timeout=20).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_with_a_token_nothing_is_shown_without_it(standins):
    with (
        standins.serving(standins.make_session(), TOKEN) as address,
        httpx.Client(base_url=f"http://{address}", timeout=20) as browser,
    ):
        assert browser.get("/").headers["location"] == "/login"
        assert browser.get("/api/status").status_code == 401
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://{address}/stream")
        assert browser.post("/login", data={"token": "wrong"}).headers["location"] == "/login#wrong"
        assert browser.get("/api/status").status_code == 401
        assert browser.get("/health").status_code == 200


def test_the_token_opens_the_page_by_login_or_header_and_never_lies_in_an_address(standins):
    with (
        standins.serving(standins.make_session(), TOKEN) as address,
        httpx.Client(base_url=f"http://{address}", timeout=20) as browser,
    ):
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert browser.get("/api/status", headers=bearer).status_code == 200
        assert browser.get("/api/status", params={"token": TOKEN}).status_code == 401
        with connect(f"ws://{address}/stream", additional_headers=bearer) as stream:
            assert stream.recv(timeout=20)
        answer = browser.post("/login", data={"token": TOKEN})
        assert "httponly" in answer.headers["set-cookie"].lower()
        assert TOKEN not in answer.headers["set-cookie"]
        assert browser.get("/").status_code == 200
        assert browser.get("/api/status").status_code == 200


def test_an_address_others_can_reach_demands_a_token():
    with pytest.raises(HemonodeError, match="token"):
        Access("0.0.0.0", None)
    with pytest.raises(HemonodeError, match="too short"):
        Access("0.0.0.0", "secret")
    assert Access("0.0.0.0", TOKEN).needs_token
    assert not Access("::1", None).needs_token


def test_a_port_in_use_is_one_clear_sentence():
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HemonodeError, match=f"port {port}.*--port"):
            listen("127.0.0.1", port)
