"""The live page in a real browser: it opens, its masks move, it toggles, freezes and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A checksum of a canvas's pixels: 0 where it is all transparent.
CHECKSUM = """(id) => {
  const canvas = document.getElementById(id);
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let at = 0; at < data.length; at += 1) sum = (sum + data[at] * (at % 8191)) % 1000003;
  return sum;
}"""
CHANGED = f"([id, before]) => ({CHECKSUM})(id) !== before"
IS = f"([id, wanted]) => ({CHECKSUM})(id) === wanted"


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed; the page is tested with Debian's chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, standins):
    with standins.serving(standins.make_session(camera=standins.DiscCamera(rate_hz=12))) as address:
        page = chromium.new_page(viewport={"width": 1024, "height": 768})
        page.set_default_timeout(60_000)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda line: page.errors.append(line.text) if line.type == "error" else None)
        page.goto(f"http://{address}/")
        page.wait_for_selector("#placeholder", state="hidden")
        yield page
        assert page.errors == []
        page.close()


def test_masks_move_and_counts_stand_beside_them(page):
    before = page.evaluate(CHECKSUM, "mask")
    page.wait_for_function(CHANGED, arg=["mask", before])
    assert page.locator(".count-visible").all_inner_texts() == ["1", "4", "1"]
    assert page.locator(".count-name").all_inner_texts() == ["White cells", "Red cells", "Platelets"]
    page.wait_for_function("() => document.getElementById('pill').textContent === 'Live'")
    assert "76.0 px" in page.inner_text("#red-cell")
    assert page.inner_text("#source-name") == "moving discs"
    assert page.get_by_text("not a diagnostic device").is_visible()


def test_masks_go_and_come_back_by_key_and_each_class_by_its_card(page):
    page.keyboard.press("m")
    page.wait_for_function(IS, arg=["mask", 0])
    assert page.get_attribute("#toggle-masks", "aria-pressed") == "false"
    page.keyboard.press("m")
    page.wait_for_function(CHANGED, arg=["mask", 0])
    for key in "123":
        page.keyboard.press(key)
    page.wait_for_function(IS, arg=["mask", 0])
    page.locator(".count").nth(1).click()
    page.wait_for_function(CHANGED, arg=["mask", 0])


def test_centres_are_drawn_when_asked_for(page):
    page.wait_for_function(IS, arg=["marks", 0])
    page.get_by_role("button", name="Centres").click()
    page.wait_for_function(CHANGED, arg=["marks", 0])


def test_space_freezes_the_picture_and_lets_it_run_again(page):
    page.keyboard.press(" ")
    assert page.inner_text("#pill") == "Frozen"
    page.wait_for_timeout(300)
    frozen = page.evaluate(CHECKSUM, "picture")
    page.wait_for_timeout(700)
    assert page.evaluate(CHECKSUM, "picture") == frozen
    page.keyboard.press(" ")
    page.wait_for_function(CHANGED, arg=["picture", frozen])


def test_everything_can_be_reached_by_keyboard(page):
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.id || document.activeElement.className"))
    assert {"toggle-masks", "toggle-centres", "toggle-freeze", "toggle-theme", "count", "measure-scale"} <= reached
