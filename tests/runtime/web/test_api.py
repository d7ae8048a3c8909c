"""The API: everything the page does, answered in types that the OpenAPI document tells, and errors in sentences."""

from __future__ import annotations

import csv
import io
import json
import threading

import cv2
import httpx
import numpy as np
import pytest

from hemonode.runtime.web.limits import Limits

JSON = {"content-type": "application/json"}


def test_the_status_holds_what_the_page_shows(served):
    status = served.browser.get("/api/status").json()
    assert status["state"] == "running"
    assert status["source"]["name"] == "Moving discs"
    assert status["solver"]["setting"] in {rung["setting"] for rung in status["solver"]["rungs"]}
    assert status["stages"]["latency"]["p99_ms"] >= status["stages"]["latency"]["p50_ms"] > 0


def test_a_choice_is_made_by_an_id_of_the_list(served):
    choices = served.browser.get("/api/choices").json()
    other = choices["sources"][1]["id"]
    assert served.browser.post("/api/source", json={"id": other}).json() == {"done": True}
    assert served.browser.get("/api/status").json()["source"]["id"] == other
    answer = served.browser.post("/api/source", json={"id": "nosuch"})
    assert answer.status_code == 404
    assert "no such source" in answer.json()["error"]


def test_a_bundle_is_loaded_while_the_view_goes_on(served, web):
    assert served.browser.post("/api/bundle", json={"id": "second-light"}).status_code == 200
    assert served.browser.get("/api/status").json()["model"]["loading"] == "second_light"
    web.wait_until(lambda: served.browser.get("/api/status").json()["model"]["id"] == "second-light")


def test_a_solver_wish_moves_the_setting_and_is_told_among_the_events(served):
    before = served.browser.get("/api/events").json()
    wish = {"mode": "fixed", "setting": "tol1e-4"}
    assert served.browser.post("/api/solver", json=wish).status_code == 200
    assert served.browser.get("/api/status").json()["solver"]["setting"] == "tol1e-4"
    after = served.browser.get("/api/events", params={"after": before[-1]["number"] if before else 0}).json()
    assert [event["details"] for event in after if event["kind"] == "governor"] == [{"setting": "tol1e-4"}]


def test_the_scale_is_measured_again_or_given(served):
    assert served.browser.post("/api/scale").json() == {"measuring": True}
    assert served.browser.post("/api/scale", json={}).json() == {"measuring": True}
    assert served.browser.post("/api/scale", json={"red_cell_px": 90}).json() == {"measuring": False}
    answer = served.browser.post("/api/scale", json={"red_cell_px": 5000})
    assert answer.status_code == 409
    assert "5000 px" in answer.json()["error"]


def test_a_control_is_set_within_its_range(served):
    names = [control["name"] for control in served.browser.get("/api/controls").json()]
    assert names == ["exposure_ms", "gain_db", "white_balance_k"]
    assert served.browser.post("/api/controls/gain_db", json={"value": 12}).json()["value"] == 12
    assert served.browser.post("/api/controls/exposure_ms", json={"automatic": False}).json()["automatic"] is False
    assert served.browser.post("/api/controls/gain_db", json={"value": 1000}).status_code == 409
    assert served.browser.post("/api/controls/colour", json={"value": 1}).status_code == 404


def test_what_a_person_saw_is_what_is_counted(served, web):
    with served.stream() as stream:
        header, _, _ = web.unpack(web.next_packet(stream))
        web.wait_until(lambda: served.view.results > header["sequence"] + 5)
        counted = served.browser.post("/api/fields", json={"packet": header["number"], "note": "a crowd"}).json()
    assert counted["visible"] == {str(count["id"]): count["visible"] for count in header["counts"]}
    answer = served.browser.post("/api/fields", json={"packet": 2**40})
    assert answer.status_code == 409
    assert "not kept any more" in answer.json()["error"]


def test_a_sample_is_tallied_recorded_and_taken_home(served, web):
    browser = served.browser
    assert browser.post("/api/tally", json={"action": "start", "name": "Slide 7"}).json()["state"] == "counting"
    web.wait_until(lambda: browser.get("/api/status").json()["tally"]["fields"] >= 1)
    assert browser.post("/api/recording", json={"pictures": False}).json()["state"] == "without_pictures"
    assert browser.post("/api/tally", json={"action": "finish"}).json()["state"] == "off"
    again = browser.post("/api/tally", json={"action": "finish"})
    assert again.status_code == 409
    assert again.json() == {"error": "No tally is running; start one first."}

    session = browser.get("/api/sessions").json()[0]
    assert session["name"] == "Slide 7"
    assert browser.get(f"/api/sessions/{session['id']}").json() == session
    fields = browser.get(f"/api/sessions/{session['id']}/fields").json()
    assert len(fields) == session["fields"]
    assert browser.get(f"/api/sessions/{session['id']}/events").json()
    export = browser.get(f"/api/sessions/{session['id']}/export", params={"format": "csv"})
    assert export.headers["content-disposition"] == f'attachment; filename="{session["id"]}.csv"'
    assert len(list(csv.reader(io.StringIO(export.text)))) == len(fields)
    png = browser.get(f"/api/sessions/{session['id']}/fields/1/picture", params={"kind": "mask"})
    assert png.headers["content-type"] == "image/png"
    assert set(np.unique(cv2.imdecode(np.frombuffer(png.content, np.uint8), cv2.IMREAD_UNCHANGED))) <= {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/api/solver", {"mode": "fastest"}, "mode"),
        ("/api/solver", {"mode": "fixed"}, "give the setting that shall be fixed"),
        ("/api/solver", {"mode": "automatic", "target_ms": -1}, "target_ms"),
        ("/api/solver", {"mode": "automatic", "target_ms": 10, "shell": "rm"}, "shell: is not known here"),
        ("/api/solver", {"mode": "automatic", "<b>": 1}, "(a key): is not known here"),
        ("/api/tally", {"action": "start", "name": "x" * 201}, "name"),
        ("/api/tally", {"action": "start", "name": "two\nlines"}, "name"),
        ("/api/tally", {"action": "start", "name": "\ud800"}, "name"),
        ("/api/fields", {"packet": "7; drop table"}, "packet"),
        ("/api/source", {"id": "../../etc/passwd"}, "id"),
        ("/api/source", ["id"], "body"),
        ("/api/controls/gain_db", {"value": 1e999}, "value"),
    ],
)
def test_what_is_not_valid_is_named_and_never_repeated(served, path, body, said):
    answer = served.browser.post(path, content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422
    assert said in answer.json()["error"]
    assert "passwd" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 30_000, b'{"id": ' + b"9" * 6000 + b"}", b"null"])
def test_a_body_that_is_no_json_is_refused_in_json(served, body):
    answer = served.browser.post("/api/source", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]


def test_a_body_that_does_not_say_it_is_json_is_told_how_to(served):
    answer = served.browser.post("/api/source", content=b'{"id": "discs"}')
    assert (answer.status_code, "Content-Type: application/json" in answer.json()["error"]) == (422, True)


def test_unknown_paths_and_methods_are_answered_in_json(served):
    assert served.browser.get("/api/nothing").json() == {"error": "Not Found"}
    assert served.browser.delete("/api/status").json() == {"error": "Method Not Allowed"}


def test_a_fault_inside_is_told_to_the_log_and_not_to_the_client(web, caplog):
    view = web.StandinView()
    view.choices = lambda: 1 / 0
    with web.serving(view) as served:
        answer = served.browser.get("/api/choices")
        assert answer.status_code == 500
        assert "ZeroDivision" not in answer.text
        assert answer.json()["error"]
        assert served.alive()
    assert "ZeroDivisionError" in caplog.text


def test_a_camera_that_hangs_blocks_neither_the_page_nor_more_than_a_few_threads(web):
    view, hung = web.StandinView(), threading.Event()
    view.controls = hung.wait
    try:
        with web.serving(view, limits=Limits(calls=3, call_s=0.3)) as served:
            for _ in range(5):
                answer = served.browser.get("/api/controls")
                assert answer.status_code == 503
                assert "did not answer" in answer.json()["error"]
            assert sum(thread.name == "api" for thread in threading.enumerate()) == 3
            # The stream tells its status by a thread of its own.
            with served.stream() as stream:
                assert isinstance(stream.recv(timeout=20), (str, bytes))
            assert served.browser.get("/").status_code == 200
            hung.set()
            web.wait_until(lambda: served.browser.get("/api/status").status_code == 200)
    finally:
        hung.set()


def test_an_export_that_fails_on_the_way_is_cut_and_not_taken_for_the_whole(web):
    def broken(session, file_format):
        def pieces():
            yield b"a" * 100_000
            raise OSError("the disk is gone")

        return pieces(), "text/csv", 'x";\r\nset-cookie: a.csv'

    view = web.StandinView()
    view.store.export = broken
    with web.serving(view) as served:
        with served.browser.stream("GET", "/api/sessions/x/export") as answer:
            assert answer.headers["content-disposition"] == 'attachment; filename="x____set-cookie__a.csv"'
            with pytest.raises(httpx.RemoteProtocolError):
                answer.read()
        assert served.alive()


def test_a_large_export_does_not_lie_in_memory(web):
    made = []

    def large(session, file_format):
        return (made.append(number) or bytes(1 << 20) for number in range(500)), "text/csv", "large.csv"

    view = web.StandinView()
    view.store.export = large
    with web.serving(view) as served:
        with served.browser.stream("GET", "/api/sessions/x/export") as answer:
            pieces = answer.iter_bytes()
            assert next(pieces)
            web.wait_until(lambda: len(made) > 2)
        # The client left: nothing more is made for it.
        web.wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "export"])
        assert len(made) < 100


def test_the_document_tells_of_every_route_and_its_types(served):
    document = served.browser.get("/api/openapi.json").json()
    paths = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert paths == {
        ("GET", "/health"),
        ("GET", "/metrics"),
        ("GET", "/api/status"),
        ("GET", "/api/choices"),
        ("GET", "/api/events"),
        ("POST", "/api/source"),
        ("POST", "/api/bundle"),
        ("POST", "/api/solver"),
        ("POST", "/api/scale"),
        ("GET", "/api/controls"),
        ("POST", "/api/controls/{name}"),
        ("POST", "/api/fields"),
        ("POST", "/api/snapshots"),
        ("POST", "/api/tally"),
        ("POST", "/api/recording"),
        ("GET", "/api/sessions"),
        ("GET", "/api/sessions/{session}"),
        ("GET", "/api/sessions/{session}/fields"),
        ("GET", "/api/sessions/{session}/events"),
        ("GET", "/api/sessions/{session}/export"),
        ("GET", "/api/sessions/{session}/fields/{field}/picture"),
    }
    schemas = document["components"]["schemas"]
    assert {"LiveStatus", "SolverRequest", "TallyRequest", "FieldCount", "RecordedSession", "ErrorAnswer"} <= set(
        schemas
    )
    for request in ("SolverRequest", "TallyRequest", "Chosen", "ControlRequest"):
        assert schemas[request]["additionalProperties"] is False
