"""A live view without camera, model or disk: moving discs and believable figures that answer to every command.

`python tests/standins/live_view_standin.py [--port N] [--token T]` serves the page on it.
"""

from __future__ import annotations

import argparse
import math
import threading
import time
from dataclasses import replace

from discs import CLASSES, HEIGHT, WIDTH, draw
from store_standin import StandinStore

from hemonode.device.camera.contract import Control
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError, HemonodeError, UnknownNameError
from hemonode.runtime.counting.cells import tally
from hemonode.runtime.live import status as told
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog, RateMeter, StageMeter
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.scale import Scale
from hemonode.runtime.live.view import Choice, Choices, FieldCount
from hemonode.runtime.segmentation import ModelUsed, Segmentation
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.encode import PageSink
from hemonode.runtime.web.hub import Hub
from hemonode.runtime.web.server import LiveServer, build_app, listen

SETTINGS = (("tol1e-2", 6, 1e-2), ("tol1e-3", 10, 1e-3), ("tol1e-4", 13, 1e-4))
GOAL_Z = 1.96


class StandinView:
    """See `hemonode.runtime.live.view.LiveView`. `sink` is the page's; `log` what happened; `trouble` a camera lost."""

    def __init__(self, rate_hz=25.0):
        self.log = EventLog()
        self.faults = FaultLog()
        self.trouble = None
        self.hub = Hub(self.status)
        self.sink = PageSink(self.hub.wanted, self.hub.watched, self.hub.publish, self.faults, lambda: 7.5)
        self.store = StandinStore()
        self.results = 0
        self._rate_hz = rate_hz
        self._rate = RateMeter()
        self._stages = StageMeter()
        self._began_s = time.monotonic()
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._source, self._bundle, self._loading = "discs", "first-light", None
        self._solver = {"mode": "automatic", "target": "latency", "target_ms": 60.0, "setting": "tol1e-3"}
        self._moves = 0
        self._red_cell_px, self._measured_until_s = 44.0, 0.0
        self._controls = {
            "exposure_ms": Control("exposure_ms", "Exposure", "ms", 8.0, 0.1, 33.0, 0.1, automatic=True),
            "gain_db": Control("gain_db", "Gain", "dB", 3.0, 0.0, 24.0, 0.5),
            "white_balance_k": Control("white_balance_k", "White balance", "K", 5200, 2800, 6500, 100, automatic=False),
        }
        self._tally = _no_tally()
        self._session = None
        self._pictures = True
        self._counts = {1: 0, 2: 0, 3: 0}

    def start(self):
        self.sink.start()
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self.sink.request_stop()
        self._thread.join(5)
        return self.sink.join(time.monotonic() + 2)

    def _run(self):
        while not self._stopping.wait(1 / self._rate_hz):
            if self.trouble:
                continue
            captured_ns = time.monotonic_ns()
            pixels, mask, cells = draw(self.results, seed=len(self._source))
            used = ModelUsed("first-light", 64 * "ab", self._solver["setting"], "stand-in", "1.0", "fp32")
            found = Segmentation(mask, cells, self._red_cell_px, "estimated", used, (0.2, 0.1), {"engine": 6.5})
            frame = Frame(pixels, self.results, captured_ns)
            latency_ms = (time.monotonic_ns() - captured_ns) / 1e6
            stages = {"wait": 0.4, "preprocess": 2.1, "engine": 6.5 + self.results % 3, "count": 1.0}
            self._stages.add({**stages, "latency": latency_ms + 10})
            counts = tally(list(cells), (1, 2, 3))
            self._counts = counts.in_frame
            self._rate.tick()
            self.results += 1
            self.sink.accept(Result(frame, found, Scale(self._red_cell_px, "estimated"), counts, stages, latency_ms))
            if self._tally.state == "counting" and self.results % 25 == 0:
                self._add_field(counts.in_frame)

    def _add_field(self, counts, kind="tallied", note=""):
        with self._lock:
            if kind == "tallied":
                self._tally = _grown(self._tally, counts)
            return self.store.add(self._session, counts, kind, note)

    def condition(self):
        if self.trouble:
            return told.Condition("trouble", "Camera lost", self.trouble, stale=True)
        return told.Condition("running" if self.results else "starting", "Live" if self.results else "Starting")

    def status(self):
        condition = self.condition()
        stages = {**self._stages.percentiles(), **self.sink.stages.percentiles(), **self.hub.stages.percentiles()}
        source = told.SourceStatus(
            self._source, dict(SOURCES)[self._source], "simulated", "reopening" if self.trouble else "running",
            WIDTH, HEIGHT, round(self._rate.rate_hz(), 1), 0.02, self.results + 3, 2, 1, 0, 0,
        )  # fmt: skip
        model = told.ModelStatus(
            self._bundle, dict(BUNDLES)[self._bundle], 64 * "ab", "nodes-unet", "stand-in", "1.0", "this machine",
            "fp32", ("tensorrt: there is no NVIDIA GPU here.",), (), 2, self._loading,
        )  # fmt: skip
        return told.LiveStatus(
            hemonode="0.1.0", state=condition.state, label=condition.label, message=condition.message,
            uptime_s=round(time.monotonic() - self._began_s, 1), source=source, model=model,
            solver=self._solver_status(),
            classes=CLASSES, results=self.results, rate_hz=round(self._rate.rate_hz(), 2), stages=stages,
            drops={"busy": 12, "measuring": 3, "failed": 0, "missed": 2}, quality=self._quality(),
            counts=tuple(told.LiveCount(i, n, n + 0.3 * math.sin(self.results / 9)) for i, n in self._counts.items()),
            tally=self._tally, recorder=self._recorder(),
            host=told.HostStatus({"cpu": 51.5, "gpu": 48.0}, 51.5, 85.0, "15W", 3 * 2**30),
            faults=tuple(
                told.FaultStatus(f.origin, f.message, f.count, (time.monotonic_ns() - f.at_ns) / 1e9)
                for f in self.faults.recent()
            ),
            pages=self.hub.clients, stale=condition.stale,
        )  # fmt: skip

    def _solver_status(self):
        rungs = tuple(told.RungStatus(n, e, t, True, 2.0 + e / 2, True) for n, e, t in SETTINGS)
        estimate = 0.4 + 0.3 * math.sin(self.results / 20)
        error = told.ErrorStatus((told.BlockErrorStatus(5, estimate, 0.5, 0.9),), outside=False)
        reason = "The most accurate that keeps 60 ms." if self._solver["mode"] == "automatic" else "It was chosen."
        return told.SolverStatus(
            self._solver["mode"], self._solver["target"], self._solver["target_ms"], self._solver["setting"], reason,
            None, self._moves, 1, rungs, error, 180 * 2**20,
        )  # fmt: skip

    def _quality(self):
        share = 0.8 + 0.2 * math.sin(self.results / 50)
        gates = (
            told.GateStatus("focus", "Focus", share, 0.7, None, share >= 0.7, None if share >= 0.7 else "Focus again."),
            told.GateStatus("exposure", "Brightness", 0.72, 0.3, 0.95, True, None),
            told.GateStatus("saturation", "Saturated", 0.001, None, 0.02, True, None),
            told.GateStatus("emptiness", "Cells in view", 38.0, 5.0, None, True, None),
        )
        return told.QualityStatus(all(gate.ok for gate in gates), share, gates)

    def _recorder(self):
        state = "off" if self._session is None else "recording" if self._pictures else "without_pictures"
        fields = len(self.store.fields(self._session)) if self._session else 0
        return told.RecorderStatus(
            state, self._session, fields, fields if self._pictures else 0, 0, fields * 700_000, 20 * 10**9,
            180 * 10**9, self._pictures, None,
        )  # fmt: skip

    def choices(self):
        settings = tuple(Choice(name, name) for name, _, _ in SETTINGS)
        bundles = tuple(Choice(i, name) for i, name in BUNDLES)
        return Choices(tuple(Choice(i, name, "simulated") for i, name in SOURCES), bundles, settings)

    def choose_source(self, source_id):
        if source_id not in dict(SOURCES):
            raise UnknownNameError("There is no such source; look at the list again.")
        self._source = source_id
        if self._tally.state == "counting":
            self._tally = replace(self._tally, state="paused", message="Another camera was chosen.")
        self.log.add("command", f"The source is now {dict(SOURCES)[source_id]}.")

    def choose_bundle(self, bundle_id):
        if bundle_id not in dict(BUNDLES):
            raise UnknownNameError("There is no such bundle; look at the list again.")
        self._loading = dict(BUNDLES)[bundle_id]

        def ready():
            self._bundle, self._loading = bundle_id, None
            self.log.add("bundle", f"{dict(BUNDLES)[bundle_id]} is in place.")

        threading.Timer(2.0, ready).start()

    def wish_solver(self, wish):
        if wish.mode == "fixed" and wish.setting not in [name for name, _, _ in SETTINGS]:
            raise UnknownNameError("The bundle has no such solver setting.")
        target_ms = wish.target_ms or self._solver["target_ms"]
        fits = [name for name, evaluations, _ in SETTINGS if 10 + evaluations <= target_ms]
        setting = wish.setting if wish.mode == "fixed" else (fits or ["tol1e-2"])[-1]
        self._moves += setting != self._solver["setting"]
        self._solver = {"mode": wish.mode, "target": wish.target, "target_ms": target_ms, "setting": setting}
        self.log.add("governor", f"The solver setting is now {setting}.", setting=setting)

    def measure_scale_again(self):
        self._red_cell_px = 44.0
        return True

    def give_scale(self, red_cell_px):
        if not 4 <= red_cell_px <= 800:
            raise DeviceError(f"A red cell of {red_cell_px:g} px cannot be worked with; give 4 to 800.")
        self._red_cell_px = red_cell_px

    def controls(self):
        return tuple(self._controls.values())

    def set_control(self, name, *, value=None, automatic=None):
        if name not in self._controls:
            raise UnknownNameError("The camera has no such control.")
        control = self._controls[name]
        if value is not None and not control.least <= value <= control.most:
            raise DeviceError(f"{control.label} goes from {control.least:g} to {control.most:g} {control.unit}.")
        if automatic is not None:
            control = replace(control, automatic=automatic, changeable=not automatic)
        self._controls[name] = control if value is None else replace(control, value=value)
        return self._controls[name]

    def _keep(self, packet, kind, note):
        result = self.sink.shown(packet)
        if result is None:
            raise HemonodeError("That picture is not kept any more: freeze again, and count at once.")
        if self._session is None:
            self._session = self.store.begin("Single fields")
        counts = dict(result.tally.in_frame)
        field = self._add_field(counts, kind, note)
        return FieldCount(field, self._session, counts, dict(result.tally.visible), (), packet or 0)

    def count_field(self, packet=None, note=""):
        return self._keep(packet, "counted", note)

    def snapshot(self, packet=None):
        return self._keep(packet, "snapshot", "")

    def tally(self, wish):
        with self._lock:
            if wish.action == "start":
                self._begin(wish)
            else:
                self._must_run({"pause": "paused", "finish": "off"}.get(wish.action, "counting"))
            if wish.action == "finish":
                self.store.finish(self._session)
                self._session = None
        self.log.add("tally", f"Tally: {wish.action}.")

    def _begin(self, wish):
        self._session = self.store.begin(wish.name or "Sample")
        goal, goal_class = wish.goal_percent or 10.0, wish.goal_class or 1
        self._tally = replace(
            _no_tally(), state="counting", name=wish.name, goal_class=goal_class, goal_percent=goal,
            goal_cells=math.ceil((GOAL_Z / (goal / 100)) ** 2),
        )  # fmt: skip

    def _must_run(self, state):
        if self._tally.state == "off":
            raise HemonodeError("No tally is running; start one first.")
        self._tally = replace(self._tally, state=state, message=None)

    def keep_pictures(self, wanted):
        self._pictures = wanted

    def events(self, after=0):
        return self.log.after(after)


SOURCES = (("discs", "Moving discs"), ("slide", "A slide"))
BUNDLES = (("first-light", "first_light"), ("second-light", "second_light"))


def _no_tally():
    nothing = told.Interval(None, None, None)
    classes = tuple(told.ClassTally(c.id, c.name, 0, nothing, nothing) for c in CLASSES if c.countable)
    return told.TallyStatus("off", "", None, 0.0, 0, 0.0, classes, {}, 1, 10.0, 385, 0.0, ())


def _grown(tally_status, counts):
    fields = tally_status.fields + 1
    sums = {found.id: found.counted + counts[found.id] for found in tally_status.classes}
    cells = sum(sums.values())
    classes = tuple(
        replace(found, counted=n, per_field=_interval(n / fields, math.sqrt(n) / fields), share=_share(n, cells))
        for found, n in ((found, sums[found.id]) for found in tally_status.classes)
    )
    return replace(
        tally_status, fields=fields, cells=cells, seconds=tally_status.seconds + 1, classes=classes,
        progress=min(1.0, sums[tally_status.goal_class] / tally_status.goal_cells),
        refused={"blurred": int(fields // 10)},
        trend=(*tally_status.trend, told.TrendPoint(fields, sums))[-200:],
    )  # fmt: skip


def _interval(value, sigma):
    return told.Interval(value, max(0.0, value - GOAL_Z * sigma), value + GOAL_Z * sigma)


def _share(counted, cells):
    if not cells:
        return told.Interval(None, None, None)
    share = counted / cells
    return _interval(share, math.sqrt(share * (1 - share) / cells))


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=8080)
    options.add_argument("--token")
    given = options.parse_args()
    view = StandinView()
    listener = listen("127.0.0.1", given.port)
    app = build_app(view, view.hub, Access("127.0.0.1", given.token))
    view.start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    try:
        LiveServer(app, view.hub).run(sockets=[listener])
    finally:
        view.stop()


if __name__ == "__main__":
    main()
