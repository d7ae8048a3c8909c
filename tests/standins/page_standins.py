"""For tests of the page: a real browser, and the live view's stand-in behind a real server that comes and goes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"width": 1280, "height": 800}
PATIENCE_MS = 60_000

# Overlay pixels at each cell and between cells, of the picture that is shown now: [[class id, [r, g, b, a]], …].
AT_CELLS = """() => {
  const overlay = document.getElementById("overlay");
  const { width, height, cells } = window.hemonode.painter.header;
  const scale = Math.min(overlay.width / width, overlay.height / height);
  const [left, top] = [(overlay.width - width * scale) / 2, (overlay.height - height * scale) / 2];
  const pen = overlay.getContext("2d");
  return cells.filter(([, x, y]) => x > 2 && y > 2 && x < width - 2 && y < height - 2)
    .map(([id, x, y]) => [id, [...pen.getImageData(left + x * scale, top + y * scale, 1, 1).data]]);
}"""
# How much is drawn over the picture: the share of overlay pixels that are not transparent.
COVERED = """() => {
  const overlay = document.getElementById("overlay");
  const data = overlay.getContext("2d").getImageData(0, 0, overlay.width, overlay.height).data;
  let drawn = 0;
  for (let at = 3; at < data.length; at += 4) drawn += data[at] > 0;
  return drawn / (data.length / 4);
}"""
# A checksum of the picture that is shown.
PICTURE = """() => {
  const picture = document.getElementById("picture");
  const copy = new OffscreenCanvas(picture.width, picture.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(picture, 0, 0);
  const data = copy.getImageData(0, 0, picture.width, picture.height).data;
  let sum = 0;
  for (let at = 0; at < data.length; at += 1) sum = (sum + data[at] * (at % 8191)) % 1000003;
  return sum;
}"""


def drawn(page):
    """Wait until the page has drawn what it was told, however slow the machine is."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, started once."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed; the page is tested with Debian's chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield browser
        browser.close()


class PageServer:
    """A stand-in view on a port of its own; `view.alter` changes what it tells."""

    def __init__(self):
        from hemonode.runtime.web.access import Access
        from hemonode.runtime.web.server import build_app, listen

        self._listen, self._build = listen, build_app
        self._access = Access("127.0.0.1", None)
        self._port = 0
        self.view = None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}/"

    def start(self):
        from hemonode.runtime.web.server import LiveServer

        listener = self._listen("127.0.0.1", self._port)
        self._port = listener.getsockname()[1]
        self.view = _view()
        self._server = LiveServer(self._build(self.view, self.view.hub, self._access), self.view.hub)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self.view.start()
        self._thread.start()

    def stop(self):
        self._server.should_exit = True
        self._thread.join(10)
        self.view.stop()

    def reset(self):
        """As at its start: nothing altered, no trouble, no tally."""
        from hemonode.runtime.live.view import TallyWish

        self.view.alter = lambda status: status
        self.view.trouble = None
        if self.view.status().tally.state != "off":
            self.view.tally(TallyWish("finish"))


def _view():
    from live_view_standin import StandinView

    class AlterableView(StandinView):
        alter = staticmethod(lambda status: status)

        def status(self):
            return self.alter(super().status())

    return AlterableView(rate_hz=12.0)


@pytest.fixture(scope="module")
def microscope():
    """One server for a module's tests."""
    serving = PageServer()
    yield serving
    serving.stop()


@pytest.fixture
def open_page(chromium, microscope):
    """Opens the page as a new visitor: `open_page(viewport=…, color_scheme=…)`. Errors on it fail the test."""
    microscope.reset()
    contexts, errors = [], []

    def open_one(**options):
        context = chromium.new_context(
            **{"viewport": DESKTOP, "color_scheme": "dark", "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(microscope.url)
        page.wait_for_selector("#placeholder", state="hidden")
        page.wait_for_selector("#pill[data-state=running]")
        return page

    yield open_one
    for context in contexts:
        context.close()
    microscope.reset()
    assert errors == []


@pytest.fixture
def page(open_page):
    """The page on a desktop, with moving masks."""
    return open_page()
