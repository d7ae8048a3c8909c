"""`hemonode live` behind its options: opens bundle, engines and camera, serves the page, and stops cleanly."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import cv2

from hemonode.device.camera import open_camera
from hemonode.device.camera.contract import Camera
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.bundle.schema import ScaleRecord
from hemonode.runtime.live.config import LiveConfig
from hemonode.runtime.live.crew import crew_for, usable_cores
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.model import LiveModel
from hemonode.runtime.live.scale import LiveScale, Scale
from hemonode.runtime.live.session import STOP_S, LiveSession, ModelInfo
from hemonode.runtime.scale import from_um_per_px
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.server import LiveServer, build_app, listen


def serve(config: LiveConfig, announce: Callable[[str, list[str]], None]) -> None:
    """Run the live view until Ctrl-C or SIGTERM.

    Args:
        config: what to show and where.
        announce: gets the page's address once it answers, and lines on what runs.

    Raises:
        HemonodeError: address, bundle, engine or camera cannot be had as asked.
    """
    access = Access(config.page.host, config.page.secret())
    # Each worker is one core's work; OpenCV's own threads would only get in their way.
    cv2.setNumThreads(1)
    with ExitStack() as owned:
        listener = owned.enter_context(listen(config.page.host, config.page.port))
        faults = FaultLog()
        model = _open_model(config, faults)
        owned.callback(model.close)
        session = _open_session(config, model, faults)
        server = LiveServer(
            build_app(session, session.hub, access),
            session.hub,
            lambda: announce(f"http://{_in_url(config.page.host)}:{listener.getsockname()[1]}/", model.introduction),
        )
        session.start()
        try:
            _serve_until_told(server, listener)
        finally:
            stopped = session.stop()
            model.request_stop()
            if not (model.join(time.monotonic() + STOP_S) and stopped):
                _leave_at_once()


def _open_model(config: LiveConfig, faults: FaultLog) -> LiveModel:
    return LiveModel(
        open_bundle(config.model.bundles[0] if config.model.bundles else None),
        bundle_id="started with",
        engine=config.model.engine,
        setting=config.solver.setting,
        precision=config.model.precision,
        cores=usable_cores(),
        log=EventLog(),
        faults=faults,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )


def _open_session(config: LiveConfig, model: LiveModel, faults: FaultLog) -> LiveSession:
    def open_source() -> Camera:
        return open_camera(config.source[0].source, rate_hz=config.source[0].rate_hz)

    manifest = model.manifest
    scale = LiveScale(manifest.scale.red_cell_um, _given_scale(config, manifest.scale))
    return LiveSession(
        open_source(),
        open_source,
        model,
        crew_for(lambda: model.engine),
        scale,
        manifest.classes,
        lambda: _model_info(model),
        faults,
    )


def _model_info(model: LiveModel) -> ModelInfo:
    status = model.status()
    return ModelInfo(
        bundle=status.bundle,
        model=status.model,
        setting=model.setting,
        engine=status.engine,
        version=status.version,
        device=status.device,
        precision=status.precision,
        passed_over=status.passed_over,
        remarks=status.remarks,
    )


def _given_scale(config: LiveConfig, record: ScaleRecord) -> Scale | None:
    if config.scale.red_cell_px is not None:
        return Scale(config.scale.red_cell_px, "given")
    if config.scale.um_per_px is not None:
        return Scale(from_um_per_px(config.scale.um_per_px, record), "um_per_px")
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
