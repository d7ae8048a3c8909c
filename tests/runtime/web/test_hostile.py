"""What a stranger may throw at the server: paths, bodies, bytes, silence. Refused, logged, alive, memory flat."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import random
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest

from hemonode.runtime.web.limits import Limits

TOKEN = "correct-horse-battery"

CLIMBS = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..\\..\\etc\\passwd",
    "..%5c..%5cetc%5cpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "%00",
    "1%00.png",
    "\ufe52\ufe52/etc/passwd",
    "..;/etc/passwd",
    "~root",
    "$(id)",
    "'; DROP TABLE sessions; --",
)


def memory_mb():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def open_files():
    return len(list(pathlib.Path("/proc/self/fd").iterdir()))


def parameters(document):
    """(method, path, where, name, schema) of every parameter that the OpenAPI document tells of, bodies included."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            for parameter in route.get("parameters", ()):
                yield method.upper(), path, parameter["in"], parameter["name"]
            body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            named = body.get("$ref") or next((one["$ref"] for one in body.get("anyOf", ()) if "$ref" in one), "")
            for name in schemas.get(named.rpartition("/")[2], {}).get("properties", ()):
                yield method.upper(), path, "body", name


def filled(path, name="", value="1"):
    for known in ("session", "field", "name"):
        path = path.replace("{" + known + "}", value if known == name else "1")
    return path


def test_no_parameter_of_any_route_reaches_the_file_system(served, monkeypatch):
    asked = []
    for function in ("open", "stat", "listdir", "scandir"):
        real = getattr(os, function)

        def watched(path, *more, real=real, **keys):
            asked.append(str(path))
            return real(path, *more, **keys)

        monkeypatch.setattr(os, function, watched)
    document = served.browser.get("/api/openapi.json").json()
    every = [*parameters(document), ("GET", "/static/{name}", "path", "name")]
    assert len(every) > 25
    free_text = {"note", "name"}
    for (method, path, where, name), climb in itertools.product(every, CLIMBS):
        body, query, target = None, "", filled(path)
        if where == "path":
            target = filled(path, name, climb)
        elif where == "query":
            query = f"?{name}={climb}"
        else:
            body = json.dumps({name: climb})
        raw = raw_request(served, method, target.replace(" ", "%20") + query.replace(" ", "%20"), body)
        status = int(raw.split(b" ", 2)[1])
        assert status in (307, 400, 404, 405, 409, 422) or (status == 200 and name in free_text), (path, name, climb)
        assert b"root:" not in raw
    assert not [path for path in asked if "passwd" in path or ".." in path]
    assert served.alive()


def raw_request(served, method, target, body):
    """Sent as it is: a client library would tidy the path up."""
    payload = (body or "").encode()
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(payload)}\r\n"
    with served.raw() as raw:
        raw.sendall(head.encode("utf-8", "surrogateescape") + b"Content-Type: application/json\r\n\r\n" + payload)
        return b"".join(iter(lambda: raw.recv(65536), b""))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/tally", "/login", "/api/status", "/static/icon.svg"])
def test_a_hundred_megabytes_are_refused_and_never_held(served, path, chunked):
    megabyte = bytes(2**20)
    held = memory_mb()
    with served.raw() as raw:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {100 * 2**20}"
        raw.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n".encode())
        sent = 0
        with suppress(OSError):
            for _ in range(100):
                raw.sendall((b"100000\r\n" + megabyte + b"\r\n") if chunked else megabyte)
                sent += 1
        with suppress(OSError):
            answer = raw.recv(65536)
            assert answer == b"" or b" 413 " in answer.splitlines()[0]
    assert sent < 20, "it was read to its end"
    assert memory_mb() - held < 30
    assert served.refusals.counts()["large"] > 0
    assert served.alive()


def test_a_body_of_64_kilobytes_is_taken_and_one_byte_more_is_not(served):
    def ask(size):
        empty = json.dumps({"action": "start", "junk": ""})
        body = json.dumps({"action": "start", "junk": "x" * (size - len(empty))})
        return served.browser.post("/api/tally", content=body, headers={"content-type": "application/json"})

    assert ask(64 * 1024).status_code == 422
    answer = ask(64 * 1024 + 1)
    assert answer.status_code == 413
    assert "65536 bytes" in answer.json()["error"]


def test_headers_and_queries_are_bounded(served):
    for target, header in (("/?" + "a" * 100_000, ""), ("/", "X-Long: " + "b" * 100_000 + "\r\n")):
        with served.raw() as raw, suppress(OSError):
            raw.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n".encode())
            answer = raw.recv(65536)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert served.alive()


def test_random_bytes_on_the_port_harm_nothing(served):
    chance = random.Random(0)
    held = memory_mb()
    for number in range(60):
        junk = chance.randbytes(chance.randrange(1, 5000))
        begin = (b"", b"GET / HTTP/1.1\r\n", b"POST /api/tally HTTP/1.1\r\nHost: localhost\r\n", b"\x16\x03\x01")[
            number % 4
        ]
        with served.raw() as raw, suppress(OSError):
            raw.sendall(begin + junk + b"\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(65536):
                pass
    assert served.alive()
    assert memory_mb() - held < 20


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /api/tally HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_a_client_that_sends_a_byte_now_and_then_is_cut_off(web, beginning):
    with web.serving(limits=Limits(header_s=0.6, body_s=0.6)) as served, served.raw() as slow:
        began_s = time.monotonic()
        slow.sendall(beginning)
        slow.settimeout(0.1)
        answer = b""
        with suppress(BrokenPipeError, ConnectionResetError):
            while True:
                with suppress(TimeoutError):
                    if not (piece := slow.recv(65536)):
                        break
                    answer += piece
                slow.sendall(b"x" if beginning else b"")
        assert not answer or b" 408 " in answer.splitlines()[0]
        assert time.monotonic() - began_s < 10
        assert served.alive()


def test_a_second_request_on_a_connection_has_a_deadline_too(web):
    with web.serving(limits=Limits(header_s=0.6)) as served, served.raw() as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += slow.recv(65536)
        slow.sendall(b"GET /hea")
        slow.settimeout(10)
        assert slow.recv(65536) == b""


def test_a_page_and_a_long_answer_outlive_the_deadline_for_headers(web):
    view = web.StandinView()

    def slowly(session, file_format):
        return (time.sleep(0.1) or b"x" for _ in range(12)), "text/csv", "a.csv"

    view.store.export = slowly
    with web.serving(view, limits=Limits(header_s=0.3)) as served, served.stream() as stream:
        assert len(served.browser.get("/api/sessions/x/export").content) == 12
        web.next_packet(stream)
        assert served.view.hub.clients == 1


def test_connections_are_bounded_and_come_free_again(web):
    with web.serving(limits=Limits(connections=8, connections_each=6)) as served:
        assert served.alive()
        idle = [served.raw() for _ in range(40)]
        web.wait_until(lambda: served.refusals.counts().get("connections", 0) >= 30)
        descriptors = open_files()
        for one in idle:
            one.close()
        web.wait_until(lambda: open_files() < descriptors)

        def answers():
            with suppress(httpx.HTTPError):
                return served.alive()

        web.wait_until(answers)


def test_a_storm_from_all_sides_leaves_the_pages_running(web):
    """Everything at once for two seconds: a page that watches goes on, and nothing piles up."""
    end = time.monotonic() + 2
    with web.serving(token=TOKEN) as served:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        with served.stream(additional_headers=bearer) as stream:
            web.next_packet(stream)
            before_threads, held = threading.active_count(), memory_mb()

            def storm(number):
                chance = random.Random(number)
                while time.monotonic() < end:
                    with suppress(OSError, httpx.HTTPError), served.raw(2) as raw:
                        raw.sendall(chance.choice([b"GET /api/status", b"POST /login", b"\xff\xfe"]))
                        raw.sendall(b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\ntoken=abc")
                        raw.recv(100)

            storms = [threading.Thread(target=storm, args=(number,)) for number in range(6)]
            for one in storms:
                one.start()
            seen = 0
            while time.monotonic() < end:
                header = web.unpack(web.next_packet(stream))[0]
                stream.send(f"drawn {header['number']}")
                seen += 1
            for one in storms:
                one.join(10)
            assert seen >= 3
            web.wait_until(lambda: threading.active_count() <= before_threads + 1)
            assert memory_mb() - held < 40
        refused = served.refusals.counts()
        assert refused["token"] > 0
