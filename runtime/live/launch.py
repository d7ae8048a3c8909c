"""`hemonode live` behind its options: opens bundle, engines and camera, serves the page, and stops cleanly."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import cv2

from hemonode.device.camera import open_camera
from hemonode.device.camera.contract import Camera
from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.bundle.schema import ScaleRecord
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.introduction import introduction
from hemonode.runtime.live.better_engine import BetterEngine
from hemonode.runtime.live.crew import crew_for, usable_cores
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.scale import LiveScale, Scale
from hemonode.runtime.live.session import LiveSession, ModelInfo
from hemonode.runtime.plans.machine import this_machine
from hemonode.runtime.plans.store import PlanStore
from hemonode.runtime.scale import from_um_per_px
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.server import LiveServer, build_app, listen


@dataclass(frozen=True)
class LiveOptions:
    """What the user asked for; see `hemonode live --help`."""

    source: str
    bundle: Path | None
    engine: str
    setting: str | None
    precision: AskedPrecision
    red_cell_px: float | None
    um_per_px: float | None
    rate_hz: float | None
    host: str
    port: int
    token: str | None


def serve(options: LiveOptions, announce: Callable[[str, list[str]], None]) -> None:
    """Run the live view until Ctrl-C or SIGTERM.

    Args:
        options: what to show and where.
        announce: gets the page's address once it answers, and lines on what runs.

    Raises:
        HemonodeError: address, bundle, engine or camera cannot be had as asked.
    """
    access = Access(options.host, options.token)
    # Each worker is one core's work; OpenCV's own threads would only get in their way.
    cv2.setNumThreads(1)
    with ExitStack() as owned:
        listener = owned.enter_context(listen(options.host, options.port))
        segmenter = owned.enter_context(_open_segmenter(options))
        session = _open_session(options, segmenter)
        server = LiveServer(
            build_app(session, session.hub, access),
            session.hub,
            lambda: announce(f"http://{_in_url(options.host)}:{listener.getsockname()[1]}/", introduction(segmenter)),
        )
        session.start()
        try:
            _serve_until_told(server, listener)
        finally:
            if not session.stop():
                _leave_at_once()


def _open_segmenter(options: LiveOptions) -> Segmenter:
    cores = usable_cores()
    return Segmenter(
        open_bundle(options.bundle),
        engine=options.engine,
        setting=options.setting,
        precision=options.precision,
        threads=cores,
        lanes=cores,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )


def _open_session(options: LiveOptions, segmenter: Segmenter) -> LiveSession:
    def open_source() -> Camera:
        return open_camera(options.source, rate_hz=options.rate_hz)

    manifest = segmenter.bundle.manifest
    scale = LiveScale(manifest.scale.red_cell_um, _given_scale(options, manifest.scale))
    faults = FaultLog()
    return LiveSession(
        open_source(),
        open_source,
        segmenter,
        crew_for(lambda: segmenter.engine),
        scale,
        manifest.classes,
        lambda: _model_info(segmenter),
        faults,
        _better_engine(options, segmenter, faults),
    )


def _model_info(segmenter: Segmenter) -> ModelInfo:
    manifest, engine = segmenter.bundle.manifest, segmenter.engine
    return ModelInfo(
        bundle=manifest.name,
        model=manifest.model,
        setting=segmenter.setting,
        engine=engine.name,
        version=engine.version,
        device=engine.device,
        precision=engine.precision,
        passed_over=engine.passed_over,
        remarks=segmenter.remarks,
    )


def _better_engine(options: LiveOptions, segmenter: Segmenter, faults: FaultLog) -> list[BetterEngine]:
    """What builds a TensorRT plan while another engine works, where the choice is ours and the machine can."""
    graphs = segmenter.bundle.setting(segmenter.setting).graphs
    precision = next((precision for precision in graphs if precision == options.precision), None)
    if options.engine != "auto" or (precision is None and options.precision != "auto"):
        return []
    try:
        machine = this_machine()
    except EngineError:
        return []  # the engines passed over tell the reason
    return [BetterEngine(segmenter, machine, PlanStore(), faults, precision)]


def _given_scale(options: LiveOptions, record: ScaleRecord) -> Scale | None:
    if options.red_cell_px is not None:
        return Scale(options.red_cell_px, "given")
    if options.um_per_px is not None:
        return Scale(from_um_per_px(options.um_per_px, record), "um_per_px")
    return None


def _serve_until_told(server: LiveServer, listener: socket.socket) -> None:
    # uvicorn ends on Ctrl-C and SIGTERM and then raises the same signal again, for whoever started it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def _leave_at_once() -> None:
    # Closing an engine or unloading a driver under a thread that is still inside it can crash or hang.
    print("hemonode: a camera or engine did not answer within two seconds and was left behind.", file=sys.stderr)
    sys.stderr.flush()
    os._exit(0)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
