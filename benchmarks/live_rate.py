"""Frames per second and capture-to-page latency of the live view, with one real browser, against what the cores allow.

Run: python -m hemonode.benchmarks.live_rate        (needs Chromium and Playwright)
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from hemonode.benchmarks.chaos.program import descendants
from hemonode.benchmarks.machine import describe_machine
from hemonode.benchmarks.served import Served, served, thread_seconds
from hemonode.benchmarks.stage_clock import StageClock
from hemonode.device.camera import open_camera
from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.engines import ENGINES
from hemonode.runtime.engines.cores import available_cores
from hemonode.runtime.live.config import LiveConfig
from hemonode.runtime.live.status import Percentiles
from hemonode.runtime.segment import Segmenter

_WARM_UP_S = 8.0
_ALONE_FRAMES = 100
_BESIDE = ("tally", "page", "server", "recorder")
"""Threads that do a result's other work; workers do engine, preprocessing and counting."""


@dataclass(frozen=True)
class Run:
    """What was seen while a browser watched.

    Attributes:
        stages: milliseconds on the clock, "page" from capture until the browser had drawn.
        beside_ms: CPU-ms per result of each thread beside the workers.
        camera_share, browser_share: of a core, that the simulated camera and the browser took.
    """

    engine: str
    setting: str
    rate_hz: float
    stages: dict[str, Percentiles]
    beside_ms: dict[str, float]
    camera_share: float
    browser_share: float


@dataclass(frozen=True)
class Measured:
    """A run, and CPU-ms of the workers' stages, one frame after another on one thread."""

    run: Run
    alone_ms: dict[str, float]
    cores: int

    @property
    def allowed_hz(self) -> float:
        """Results per second if no core ever idled and nothing slowed another down."""
        own_ms = sum(self.alone_ms.values()) + sum(self.run.beside_ms.values())
        return 1e3 * (self.cores - self.run.camera_share - self.run.browser_share) / own_ms


def measure(engine: str, rate_hz: float, seconds: float) -> Measured:
    """Run the view with a tally and one browser.

    Raises:
        HemonodeError: no Chromium, no Playwright, or the view cannot be opened.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = LiveConfig.model_validate(
            {
                "source": [{"source": f"simulated:rate={rate_hz:g}"}],
                "model": {"engine": engine},
                "solver": {"mode": "fixed"},
                "recorder": {"folder": folder, "pictures": False},
            }
        )
        with served(config) as view, _browser(view.address) as browser:
            run = _watch(view, browser, seconds)
        return Measured(run, _stages_alone(engine, run.setting), available_cores())


def _watch(view: Served, browser: int, seconds: float) -> Run:
    time.sleep(_WARM_UP_S)
    threads, spent, results, began_s = (
        thread_seconds(),
        _tree_seconds(browser),
        view.parts.pipeline.results,
        time.monotonic(),
    )
    time.sleep(seconds)
    took_s, counted = time.monotonic() - began_s, view.parts.pipeline.results - results
    now = thread_seconds()
    status = view.desk.status()
    return Run(
        engine=f"{status.model.engine} {status.model.precision}",
        setting=status.solver.setting,
        rate_hz=counted / took_s,
        stages=status.stages,
        beside_ms={name: 1e3 * (now.get(name, 0.0) - threads.get(name, 0.0)) / counted for name in _BESIDE},
        camera_share=(now.get("capture", 0.0) - threads.get("capture", 0.0)) / took_s,
        browser_share=(_tree_seconds(browser) - spent) / took_s,
    )


def _stages_alone(engine: str, setting: str) -> dict[str, float]:
    """CPU-ms of the workers' stages on the same pictures."""
    clock = StageClock()
    with (
        open_camera("simulated", rate_hz=1000) as camera,
        Segmenter(open_bundle(), engine=engine, setting=setting, threads=1, lanes=1) as segmenter,
    ):
        for number in range(_ALONE_FRAMES + 5):
            frame = camera.read()
            assert frame is not None
            assert frame.um_per_px is not None
            if number == 5:
                clock = StageClock()
            with clock.stage("preprocess"):
                prepared = segmenter.prepare(frame.pixels, um_per_px=frame.um_per_px)
            with clock.stage("engine"):
                inferred = segmenter.infer(prepared)
            with clock.stage("count"):
                segmenter.finish(prepared, inferred)
    return {name: figures.cpu_ms for name, figures in clock.summary().items()}


@contextmanager
def _browser(address: str) -> Iterator[int]:
    """A page that shows the view, with a tally running. Yields the browser's process id."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise HemonodeError(
            f"Playwright is needed to measure with a browser ({error}): pip install playwright"
        ) from error
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise HemonodeError("there is no Chromium here to measure with; install it (Debian: apt install chromium)")
    mine = set(_children())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"http://{address}/")
            page.request.post(f"http://{address}/api/tally", data={"action": "start", "name": "benchmark"})
            started = [child for child in _children() if child not in mine]
            yield started[0]
        finally:
            browser.close()


def _children() -> list[int]:
    return descendants(os.getpid())


def _tree_seconds(pid: int) -> float:
    """Processor seconds of a process and of all that it has started."""
    ticks = 0
    for one in (pid, *descendants(pid)):
        fields = Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def as_markdown(measured: Measured) -> str:
    """What was measured, and the ratio to what the cores allow."""
    run = measured.run
    lines = [
        f"## {run.engine}, {run.setting}",
        "",
        "| | CPU-ms per result |",
        "|---|---:|",
        *(f"| {stage}, alone on one thread | {spent:.2f} |" for stage, spent in measured.alone_ms.items()),
        *(f"| thread {name} | {spent:.2f} |" for name, spent in run.beside_ms.items()),
        "",
        f"Camera {run.camera_share:.2f} and browser {run.browser_share:.2f} of {measured.cores} cores.",
        "",
        "| stage | p50 ms | p90 ms | p99 ms |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {of.p50_ms:.1f} | {of.p90_ms:.1f} | {of.p99_ms:.1f} |" for name, of in run.stages.items()),
        "",
        f"{run.rate_hz:.1f} results/s of {measured.allowed_hz:.1f} that the cores allow: "
        f"{run.rate_hz / measured.allowed_hz:.2f}",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 0, or 1 when something cannot be measured as asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="auto", choices=("auto", *ENGINES))
    parser.add_argument("--rate-hz", type=float, default=200.0, help="of the simulated camera (default: 200)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long (default: 30)")
    asked = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    machine = describe_machine()
    try:
        measured = measure(asked.engine, asked.rate_hz, asked.seconds)
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    print(f"{machine.processor}, {machine.cores} cores, load {machine.load:.2f} before the start\n")
    print(as_markdown(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
