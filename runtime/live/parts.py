"""The parts of a running live view, as `launch` joins them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from hemonode.runtime.live.bundles import Bundles
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.governor import Governor
from hemonode.runtime.live.host import HostWatch
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.model import LiveModel
from hemonode.runtime.live.pipeline import Pipeline
from hemonode.runtime.live.scale import LiveScale
from hemonode.runtime.live.sources import Sources
from hemonode.runtime.record.recorder import Recorder
from hemonode.runtime.tally.keeper import TallyKeeper
from hemonode.runtime.web.encode import PageSink
from hemonode.runtime.web.hub import Hub


@dataclass(frozen=True)
class Parts:
    """Light goes capture → pipeline → tally, recorder and page; the governor chooses the solver setting."""

    log: EventLog
    faults: FaultLog
    sources: Sources
    bundles: Bundles
    capture: Capture
    model: LiveModel
    governor: Governor
    host: HostWatch
    scale: LiveScale
    pipeline: Pipeline
    tally: TallyKeeper
    recorder: Recorder
    page: PageSink
    hub: Hub
    started_s: float = field(default_factory=time.monotonic)
