"""Opens the parts of a live view as its configuration says, and joins them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

from hemonode.device.camera.contract import Camera
from hemonode.device.frame import Frame
from hemonode.runtime.bundle.schema import ScaleRecord
from hemonode.runtime.classes import countable_names
from hemonode.runtime.live.bundles import Bundles
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.config import LiveConfig, ScaleConfig
from hemonode.runtime.live.crew import crew_for, usable_cores
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.governor import Governor
from hemonode.runtime.live.host import HostWatch
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.model import LiveModel
from hemonode.runtime.live.parts import Parts
from hemonode.runtime.live.pipeline import Pipeline
from hemonode.runtime.live.report import report
from hemonode.runtime.live.scale import LiveScale, Scale
from hemonode.runtime.live.sources import Source, Sources, named_source
from hemonode.runtime.record.recorder import Recorder
from hemonode.runtime.scale import from_um_per_px
from hemonode.runtime.tally.field import CountedField
from hemonode.runtime.tally.keeper import TallyKeeper
from hemonode.runtime.web.encode import PageSink
from hemonode.runtime.web.hub import Hub

_GB = 1_000_000_000


@dataclass(frozen=True)
class _Opened:
    """What must be open before anything can be joined."""

    log: EventLog
    faults: FaultLog
    bundles: Bundles
    sources: Sources
    source: Source
    camera: Camera
    model: LiveModel


def assemble(config: LiveConfig) -> Parts:
    """Open everything. Start the parts with `LiveSession`.

    Raises:
        HemonodeError: the bundle, an engine or the first camera cannot be had as asked.
    """
    with ExitStack() as undo:
        parts = _join(config, _open(config, undo))
        undo.pop_all()
    return parts


def _open(config: LiveConfig, undo: ExitStack) -> _Opened:
    log = EventLog()
    faults = FaultLog(log)
    bundles = Bundles(config.model.bundles or (None,))
    sources = Sources([named_source(named.source, named.name, named.rate_hz) for named in config.source])
    first = sources.all()[0]
    # Camera and model at the same time: each takes a second or more.
    with ThreadPoolExecutor(1, thread_name_prefix="opening") as beside:
        opening = beside.submit(lambda: undo.enter_context(first.open()))
        model = _open_model(config, bundles, log, faults)
        undo.callback(model.close)
        camera = opening.result()
    return _Opened(log, faults, bundles, sources, first, camera, model)


def _open_model(config: LiveConfig, bundles: Bundles, log: EventLog, faults: FaultLog) -> LiveModel:
    first = bundles.all[0]
    return LiveModel(
        first.open(),
        bundle_id=first.id,
        engine=config.model.engine,
        setting=config.solver.setting,
        precision=config.model.precision,
        cores=usable_cores(),
        log=log,
        faults=faults,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )


def _join(config: LiveConfig, opened: _Opened) -> Parts:
    log, faults, model = opened.log, opened.faults, opened.model
    frames = Mailbox[Frame]()
    red_cell_um = lambda: model.manifest.scale.red_cell_um  # noqa: E731
    scale = LiveScale(red_cell_um, _given_scale(config.scale, model.manifest.scale))
    host = HostWatch()
    wish = config.solver.wish()
    # Without a name, a fixed setting is the bundle's own.
    governor = Governor(model, log, host, replace(wish, setting=wish.setting or model.setting))
    recorder = Recorder(
        config.recorder.folder,
        log,
        faults,
        budget_bytes=int(config.recorder.budget_gb * _GB),
        reserve_bytes=int(config.recorder.reserve_gb * _GB),
    )
    recorder.keep_pictures(config.recorder.pictures)
    log.listen(recorder.note)
    tally = TallyKeeper(
        model.manifest.classes,
        log,
        faults,
        lambda field: _keep(recorder, field),
        goal_percent=config.tally.goal_percent,
        goal_class=config.tally.goal_class,
    )
    model.on_change(lambda manifest: tally.renew(manifest.classes))
    hub = Hub(lambda: report(parts))
    page = PageSink(hub.wanted, hub.watched, hub.publish, faults, red_cell_um)
    pipeline = Pipeline(
        frames,
        governor,
        crew_for(lambda: model.engine),
        scale,
        lambda: tuple(countable_names(model.manifest.classes)),
        [governor, tally, page],
        faults,
    )
    source = opened.source
    capture = Capture(opened.camera, source.open, frames, log, faults, source.id, source.kind)
    parts = Parts(
        log=log,
        faults=faults,
        sources=opened.sources,
        bundles=opened.bundles,
        capture=capture,
        model=model,
        governor=governor,
        host=host,
        scale=scale,
        pipeline=pipeline,
        tally=tally,
        recorder=recorder,
        page=page,
        hub=hub,
    )
    return parts


def _keep(recorder: Recorder, field: CountedField) -> None:
    recorder.keep(field, picture=True)


def _given_scale(config: ScaleConfig, record: ScaleRecord) -> Scale | None:
    if config.red_cell_px is not None:
        return Scale(config.red_cell_px, "given")
    if config.um_per_px is not None:
        return Scale(from_um_per_px(config.um_per_px, record), "um_per_px")
    return None
