"""Who is let in: the token's holder, and no stranger, no other site's page, no foreign name; refusals are logged."""

from __future__ import annotations

import logging

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from hemonode.errors import HemonodeError
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.attempts import FOR_ALL, FOR_ONE, Attempts
from hemonode.runtime.web.refusals import EVERY_S, Refusals
from hemonode.runtime.web.server import listen

TOKEN = "correct-horse-battery"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def guarded(web):
    with web.serving(token=TOKEN) as served:
        yield served


@pytest.fixture
def stranger(guarded):
    """A browser with no cookie."""
    with httpx.Client(base_url=guarded.url, timeout=20) as browser:
        yield browser


@pytest.fixture
def visitor(guarded, stranger):
    """A browser that logged in."""
    assert stranger.post("/login", data={"token": TOKEN}).headers["location"] == "/"
    return stranger


@pytest.mark.parametrize("other", ['theme={"dark":true}', "two words", "name=Größe", "path=/"])
def test_a_cookie_of_another_program_on_this_machine_locks_nobody_out(other):
    access = Access("127.0.0.1", TOKEN)
    ours = f"{access.cookie}={access.session}"
    assert access.judge({"cookie": f"{other}; {ours}"}, "127.0.0.1") == "cookie"
    assert access.judge({"cookie": f"{other}; {ours}x"}, "127.0.0.1") == "no"


def test_two_live_views_of_one_machine_do_not_log_each_other_out():
    one, other = (Access("127.0.0.1", TOKEN, port=port) for port in (8080, 8081))
    both = {"cookie": f"{one.cookie}={one.session}; {other.cookie}={other.session}"}
    assert [view.judge(both, "127.0.0.1") for view in (one, other)] == ["cookie", "cookie"]


def every_route(served):
    document = served.browser.get("/api/openapi.json", headers=BEARER).json()
    for path, methods in document["paths"].items():
        for method in methods:
            yield method.upper(), path.replace("{session}", "1").replace("{field}", "1").replace("{name}", "gain")


def test_without_the_token_nothing_is_shown(guarded, stranger):
    assert stranger.get("/").headers["location"] == "/login"
    routes = [route for route in every_route(guarded) if route[1] != "/health"]
    assert len(routes) > 15
    for method, path in routes:
        assert stranger.request(method, path).status_code == 401, path
    with pytest.raises(InvalidStatus, match="403"):
        guarded.stream()
    assert stranger.get("/health").status_code == 200
    assert stranger.get("/login").status_code == 200
    assert stranger.get("/static/icon.svg").status_code == 200


def test_the_token_opens_the_page_by_login_or_header_and_never_lies_in_an_address(guarded, stranger):
    assert stranger.get("/api/status", headers=BEARER).status_code == 200
    assert stranger.get("/api/status", params={"token": TOKEN}).status_code == 401
    with guarded.stream(additional_headers=BEARER) as stream:
        assert stream.recv(timeout=20)
    answer = stranger.post("/login", data={"token": TOKEN})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in answer.headers["set-cookie"]
    assert stranger.get("/").status_code == 200
    assert stranger.get("/api/status").status_code == 200


def test_an_old_cookie_is_worth_nothing(stranger):
    assert stranger.get("/api/status", headers={"cookie": f"hemonode_session_0={'A' * 43}"}).status_code == 401
    assert stranger.get("/api/status", headers={b"cookie": b"hemonode_session_0=\x80; ;=;\x01"}).status_code == 401


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "file://", "", "http://", "localhost"]
)
def test_other_sites_pages_can_neither_watch_nor_change_anything(served, origin):
    with pytest.raises(InvalidStatus, match="403"):
        served.stream(origin=origin)
    for path in ("/api/scale", "/api/tally", "/login"):
        assert served.browser.post(path, headers={"origin": origin}).status_code == 403
    with served.stream(origin=served.url) as stream:
        assert stream.recv(timeout=20)
    assert served.browser.post("/api/scale", headers={"origin": served.url}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_pages_cannot_show_pictures_and_exports_either(served, site):
    """A browser says where an <img> comes from by Sec-Fetch-Site; `same-site` is another port of this machine."""
    image = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    assert served.browser.get("/api/sessions", headers=image).status_code == 403
    assert served.browser.get("/static/icon.svg", headers=image).status_code == 403
    link = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert served.browser.get("/", headers=link).status_code == 200
    assert served.browser.get("/api/sessions", headers=link).status_code == 403
    assert served.browser.get("/api/sessions", headers={"sec-fetch-site": "none"}).status_code == 200
    assert served.browser.get("/", headers={}).headers["cross-origin-resource-policy"] == "same-origin"


def test_a_cookie_alone_changes_nothing_unless_the_browser_says_where_it_comes_from(guarded, visitor):
    assert visitor.post("/api/scale").status_code == 403
    assert visitor.post("/api/scale", headers={"origin": guarded.url}).status_code == 200
    assert visitor.post("/api/scale", headers={"sec-fetch-site": "same-origin"}).status_code == 200
    cookie = {"cookie": f"hemonode_session_0={visitor.cookies['hemonode_session_0']}"}
    with pytest.raises(InvalidStatus, match="403"):
        guarded.stream(additional_headers=cookie)
    with guarded.stream(additional_headers=cookie, origin=guarded.url) as stream:
        assert stream.recv(timeout=20)


def test_a_foreign_name_for_this_machine_is_refused(served):
    for name in ("evil.example:80", "127.0.0.1.evil.example", "", "localhost.", "0.0.0.0"):
        assert served.browser.get("/", headers={"host": name}).status_code == 403, name
    for name in ("localhost:1", "127.0.0.1", "[::1]:8080", "LOCALHOST"):
        assert served.browser.get("/", headers={"host": name}).status_code == 200, name


def test_with_a_list_of_names_only_those_and_addresses_are_answered(web):
    with web.serving(token=TOKEN, names=("Microscope.lab",)) as served:
        for name in ("microscope.lab:8080", "192.168.1.7", "localhost", "[fe80::1]"):
            assert served.browser.get("/login", headers={"host": name}).status_code == 200, name
        assert served.browser.get("/login", headers={"host": "evil.example"}).status_code == 403


def test_no_inline_script_can_run_and_no_other_site_can_frame_the_page(served):
    answer = served.browser.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


def test_guessing_the_token_is_slowed_down_however_it_is_tried(web, caplog):
    with web.serving(token=TOKEN) as served, caplog.at_level(logging.WARNING, "hemonode.web"):
        browser = served.browser
        browser.post("/login", data={"token": TOKEN})
        session = {"cookie": f"hemonode_session_0={browser.cookies['hemonode_session_0']}"}
        browser.cookies.clear()
        for attempt in range(FOR_ONE - 1):
            wrong = f"wrong-horse-battery-{attempt}"
            if attempt % 2:
                assert browser.post("/login", data={"token": wrong}).headers["location"] == "/login#wrong"
            else:
                assert browser.get("/api/status", headers={"authorization": f"Bearer {wrong}"}).status_code == 401
        browser.post("/login", data={"token": "wrong-horse-battery"})
        for answer in (browser.post("/login", data={"token": TOKEN}), browser.get("/api/status", headers=BEARER)):
            assert answer.status_code == 429
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert "too many" in answer.json()["error"]
        # Who is in stays in.
        assert browser.get("/api/status", headers=session).status_code == 200
        assert served.refusals.counts()["attempts"] == 3
    told = [record for record in caplog.records if getattr(record, "event", "") == "access"]
    assert {record.details["cause"] for record in told} >= {"token", "attempts"}
    assert TOKEN not in caplog.text
    assert "wrong-horse" not in caplog.text


def test_strangers_everywhere_do_not_lock_out_who_works_here():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    attempts.right("10.0.0.7")
    for number in range(FOR_ALL):
        assert attempts.wait_s(f"10.1.{number}.1") == 0
        attempts.wrong(f"10.1.{number}.1")
    assert attempts.wait_s("10.2.0.1") == 60
    assert attempts.wait_s("10.0.0.7") == 0
    now[0] = 61
    assert attempts.wait_s("10.2.0.1") == 0


def test_all_addresses_of_one_ipv6_network_are_one():
    attempts = Attempts()
    for number in range(FOR_ONE):
        attempts.wrong(f"2001:db8::{number}")
    assert attempts.wait_s("2001:db8::ffff:1") > 0
    assert attempts.wait_s("2001:db8:0:1::1") == 0


def test_attempts_from_everywhere_take_bounded_memory():
    attempts = Attempts()
    for number in range(5000):
        attempts.wrong(f"10.{number >> 8}.{number & 255}.1")
        attempts.right(f"11.{number >> 8}.{number & 255}.1")
    assert len(attempts._of_one) <= 1024
    assert len(attempts._known) <= 1024


def test_a_flood_of_refusals_is_one_line_at_a_time(caplog):
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    with caplog.at_level(logging.WARNING, "hemonode.web"):
        for _ in range(1000):
            refusals.note("token", "the token is missing or wrong", "10.0.0.1", "/api/\x1b[31m\n" + "x" * 5000)
        now[0] = EVERY_S
        refusals.note("token", "the token is missing or wrong", "10.0.0.1")
    assert len(caplog.records) == 2
    assert caplog.records[1].details["unsaid"] == 999
    assert len(caplog.records[0].details["path"]) < 200
    assert "\n" not in caplog.records[0].details["path"]
    assert refusals.counts() == {"token": 1001}


def test_an_address_others_can_reach_demands_a_token():
    with pytest.raises(HemonodeError, match="token"):
        Access("0.0.0.0", None)
    with pytest.raises(HemonodeError, match="too short"):
        Access("0.0.0.0", "secret")
    for useless in ("with a space in between", "x" * 300, "line\nbreak-line-break", "größer-als-sechzehn"):
        with pytest.raises(HemonodeError, match="without spaces"):
            Access("0.0.0.0", useless)
    assert Access("0.0.0.0", TOKEN).needs_token
    assert not Access("::1", None).needs_token


def test_a_token_over_plain_http_is_warned_of(caplog):
    with caplog.at_level(logging.WARNING, "hemonode.web"):
        Access("127.0.0.1", TOKEN)
        Access("0.0.0.0", TOKEN, secure=True)
        assert not caplog.records
        Access("0.0.0.0", TOKEN)
    assert "without https" in caplog.text


def test_a_port_in_use_is_one_clear_sentence():
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HemonodeError, match=rf"port {port}.*--port"):
            listen("127.0.0.1", port)
