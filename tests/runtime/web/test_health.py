"""What machines ask: is it well, and Prometheus' figures, with units by its conventions."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from hemonode.runtime.web.metrics import metrics_text


def figures(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def test_health_follows_the_camera_and_tells_nothing_of_the_laboratory(web):
    with web.serving() as served:
        web.wait_until(lambda: served.view.results > 0)
        assert served.browser.get("/health").json() == {"state": "running"}
        assert served.browser.head("/health").status_code == 200
        served.view.trouble = "Somebody's camera in room 7 is gone."
        answer = served.browser.get("/health")
        assert (answer.status_code, answer.json()) == (503, {"state": "trouble"})
        served.view.trouble = None
        assert served.alive()


def test_the_figures_are_those_of_the_status(served):
    answer = served.browser.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = figures(answer.text)
    assert found["hemonode_state", (("state", "running"),)] == 1
    assert found["hemonode_state", (("state", "trouble"),)] == 0
    assert found["hemonode_results_total", ()] > 0
    assert found["hemonode_frames_dropped_total", (("cause", "busy"),)] == 12
    assert 0 < found["hemonode_stage_seconds", (("quantile", "0.99"), ("stage", "latency"))] < 10
    assert found["hemonode_solver_setting", (("setting", "tol1e-3"),)] == 1
    assert found["hemonode_solver_stepped_up_frames_total", ()] == 1
    assert found["hemonode_temperature_celsius", (("sensor", "gpu"),)] == 48
    assert found["hemonode_recorder_free_bytes", ()] == 180e9
    assert found["hemonode_tally_cells", (("class", "white_cell"),)] == 0


def test_refusals_are_among_the_figures(served):
    served.browser.post("/api/scale", headers={"origin": "http://evil.example"})
    found = figures(served.browser.get("/metrics").text)
    assert found["hemonode_requests_refused_total", (("cause", "origin"),)] >= 1


def test_names_follow_the_conventions_and_both_formats_are_valid(served):
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = served.browser.get("/metrics", headers=accept)
    assert "openmetrics" in answer.headers["content-type"]
    families = list(parse_openmetrics(answer.text))
    assert len(families) > 30
    for family in families:
        assert re.fullmatch(r"hemonode(_[a-z]+)*", family.name), family.name
        assert family.documentation
        assert not re.search(r"_(ms|mb|px|percent)$", family.name), "base units only"


def test_what_is_not_known_is_left_out(web):
    view = web.StandinView()
    status = view.status()
    solver = replace(status.solver, target_ms=None, error=None, memory_bytes=None)
    unknown = replace(status, solver=solver)
    text, _ = metrics_text(unknown, {}, "")
    found = figures(text.decode())
    assert ("hemonode_solver_target_seconds", ()) not in found
    assert not [name for name, _ in found if name == "hemonode_solver_error_ratio"]


def test_headless_only_health_and_figures_are_served(web):
    with web.serving(headless=True) as served:
        assert served.alive()
        assert served.browser.get("/metrics").status_code == 200
        for path in ("/", "/api/status", "/api/openapi.json", "/login", "/static/icon.svg"):
            assert served.browser.get(path).status_code == 404, path
        with pytest.raises(Exception, match="403"):
            served.stream()
