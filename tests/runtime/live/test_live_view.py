"""The whole live view as a lab runs it: a sample tallied and kept, another camera, a new bundle, a kill midway."""

from __future__ import annotations

import csv
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from page_standins import AT_CELLS, DESKTOP, PICTURE

from hemonode.runtime.bundle.reader import ASSETS

COMMAND = [sys.executable, "-u", "-c", "from hemonode.cli import main; main()"]

CONFIG = """\
[[source]]
source = "simulated:rate=10"
name = "first slide"

[[source]]
source = "simulated:rate=10,seed=5"
name = "second slide"

[model]
bundles = ["{bundle}"]

[recorder]
folder = "sessions"
reserve_gb = 0.0

[page]
port = 0

[log]
format = "json"
"""


class Running:
    """A live view as a process, and a client of its API."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [*COMMAND, "live", "--config", str(folder / "live.toml")],
            stdout=subprocess.PIPE,
            stderr=(folder / "log.jsonl").open("a", encoding="utf-8"),
            text=True,
        )
        self.url = self.process.stdout.readline().split()[2]
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def status(self):
        return self.client.get("/api/status").raise_for_status().json()

    def ask(self, path, **body):
        return self.client.post(f"/api/{path}", json=body).raise_for_status().json()

    def counted(self):
        return sum(entry["counted"] for entry in self.status()["tally"]["classes"])


@pytest.fixture
def lab(tmp_path):
    """A folder with a configuration, and a bundle of its own."""
    bundle = tmp_path / "own.hemo"
    shutil.copytree(next(ASSETS.glob("*.hemo")), bundle)
    (tmp_path / "live.toml").write_text(CONFIG.format(bundle=bundle), encoding="utf-8")
    return tmp_path


@contextmanager
def running(folder):
    view = Running(folder)
    try:
        yield view
    except httpx.TimeoutException:
        # It hangs: where each of its threads stands is told by its last words.
        view.process.send_signal(signal.SIGABRT)
        view.process.wait(10)
        print((folder / "log.jsonl").read_text(encoding="utf-8", errors="replace"))
        raise
    finally:
        view.process.kill()
        view.process.wait()


def sessions(folder, *arguments):
    asked = [*COMMAND, "sessions", *arguments, "--folder", str(folder / "sessions")]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_sample_is_tallied_kept_and_found_again(lab, standins):
    with running(lab) as view:
        view.ask("tally", action="start", name="Ward 7", goal_percent=20)
        standins.wait_until(lambda: view.counted() > 20, timeout_s=60)
        counted = view.ask("fields", note="nice one")
        assert sum(counted["visible"].values()) > 5
        picture = view.client.get(f"/api/sessions/{counted['session']}/fields/{counted['id']}/picture?kind=overlay")
        assert picture.content.startswith(b"\x89PNG")
        view.ask("tally", action="finish")
        told = view.counted()
        view.process.send_signal(signal.SIGTERM)
        view.process.wait(20)
        assert view.process.returncode == 0
    assert "Ward 7" in sessions(lab, "list")
    sessions(lab, "export", counted["session"], "--format", "csv", "-o", str(lab / "out.csv"))
    lines = (lab / "out.csv").read_text(encoding="utf-8").splitlines()
    assert any("nice one" in line for line in lines)
    shown = sessions(lab, "show", counted["session"])
    assert re.search(rf"\b{told}\b", shown.replace(",", ""))


def test_a_tally_goes_on_after_the_program_was_killed(lab, standins):
    with running(lab) as view:
        view.ask("tally", action="start", name="Ward 8")
        standins.wait_until(lambda: view.counted() > 20, timeout_s=60)
        standins.wait_until(lambda: view.status()["recorder"]["waiting"] == 0)
        view.process.kill()
    with running(lab) as view:
        standins.wait_until(lambda: view.status()["results"] > 0, timeout_s=60)
        view.ask("tally", action="start", proceed=True)
        status = view.status()
        assert status["tally"]["name"] == "Ward 8"
        kept = view.counted()
        assert kept > 0
        # What lies under the lens may be counted already: the person says when it does not.
        assert status["tally"]["state"] == "paused"
        assert "not counted yet" in status["tally"]["message"]
        view.ask("tally", action="resume")
        standins.wait_until(lambda: view.counted() > kept, timeout_s=60)


def test_another_camera_is_shown_and_the_tally_waits(lab, standins):
    with running(lab) as view:
        view.ask("tally", action="start", name="Ward 9")
        standins.wait_until(lambda: view.status()["results"] > 5, timeout_s=60)
        first, second = [
            source for source in view.client.get("/api/choices").json()["sources"] if "slide" in source["name"]
        ]
        view.ask("source", id=second["id"])
        standins.wait_until(lambda: view.status()["source"]["id"] == second["id"])
        results = view.status()["results"]
        standins.wait_until(lambda: view.status()["results"] > results)
        assert view.status()["tally"]["state"] == "paused"
        refused = view.client.post("/api/source", json={"id": first["id"] + "x"})
        assert refused.status_code == 404
        assert "source" in refused.json()["error"]


def test_a_bundle_is_read_again_on_hangup_and_a_damaged_one_changes_nothing(lab, standins):
    def told():
        return [event["message"] for event in view.client.get("/api/events").json() if event["kind"] == "bundle"]

    with running(lab) as view:
        standins.wait_until(lambda: view.status()["results"] > 5, timeout_s=60)
        view.process.send_signal(signal.SIGHUP)
        standins.wait_until(lambda: any("in use now" in message for message in told()), timeout_s=60)
        card = lab / "own.hemo" / "card.md"
        card.write_text("changed", encoding="utf-8")
        view.process.send_signal(signal.SIGHUP)
        standins.wait_until(lambda: any("card.md is damaged" in message for message in told()), timeout_s=60)
        results = view.status()["results"]
        standins.wait_until(lambda: view.status()["results"] > results)
        assert view.status()["model"]["bundle"] == "first_light"


def test_in_a_browser_a_person_tallies_counts_a_field_and_takes_the_table_home(lab, chromium):
    with running(lab) as view:
        page = chromium.new_page(viewport=DESKTOP)
        page.set_default_timeout(60_000)
        page.goto(view.url)
        page.wait_for_selector("#pill[data-state=running]")
        # The real masks lie on the cells that the model found.
        page.wait_for_function(
            f"""() => {{
                const marks = window.hemonode.painter.header ? ({AT_CELLS})() : [];
                return marks.length > 5 && marks.filter(([, pixel]) => pixel[3] > 0).length > 0.8 * marks.length;
            }}"""
        )
        before = page.evaluate(PICTURE)
        page.wait_for_function(f"(before) => ({PICTURE})() !== before", arg=before)
        page.fill("#sample", "Ward 10")
        page.click("#do-start")
        page.wait_for_function("() => Number(document.querySelectorAll('.row-number')[1].textContent) > 15")
        page.keyboard.press("c")
        page.wait_for_selector("#field-card:not([hidden])")
        page.click("#do-finish")
        page.get_by_role("button", name="Finish tally").click()
        page.wait_for_selector("#done-card:not([hidden])")
        with page.expect_download() as download:
            page.locator("#done-card").get_by_role("button", name="CSV").click()
        with download.value.path().open(encoding="utf-8", newline="") as file:
            assert {"tallied", "counted"} <= {row["kind"] for row in csv.DictReader(file)}
        page.close()
