"""How many frames the live view has in work at once, so that neither the engine nor the processor waits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hemonode.runtime.engines.contract import Engine
from hemonode.runtime.engines.cores import available_cores
from hemonode.runtime.live.status import Percentiles

_MOST_CORES = 8
"""More frames in work at once cost memory and delay for a rate that no eye can follow."""

# What a worker does on the processor; waiting for the engine and for a frame is no work.
_WORK = ("preprocess", "count")


@dataclass(frozen=True)
class Crew:
    """Workers of a pipeline.

    Attributes:
        most: workers there are.
        needed: how many of them shall have a frame in work, told what each stage took lately.
    """

    most: int
    needed: Callable[[Mapping[str, Percentiles]], int]

    @classmethod
    def of(cls, count: int) -> Crew:
        """A crew that never changes."""
        return cls(count, lambda _: count)


def usable_cores() -> int:
    """Processor cores that the live view takes."""
    return min(available_cores(), _MOST_CORES)


def crew_for(engine: Callable[[], Engine]) -> Crew:
    """Workers that keep an engine busy, and the processor, too, where the engine works on it.

    An engine on the processor keeps a core busy per lane: more frames in work would only wait. Beside one that leaves
    the processor free, a frame is in the engine, one stands ready, and others are prepared and counted meanwhile.

    Args:
        engine: gives the one in use; it may change.
    """
    cores = usable_cores()

    def needed(spent: Mapping[str, Percentiles]) -> int:
        used = engine()
        if not used.beside_cpu:
            return used.lanes
        return needed_beside(used.run_ms, sum(spent[stage].p50_ms for stage in _WORK if stage in spent), cores)

    return Crew(cores + 1, needed)


def needed_beside(engine_ms: float, work_ms: float, cores: int) -> int:
    """Frames in work that keep an engine beside the processor busy: at least two, at most one per core and one more.

    Args:
        engine_ms: a frame's time in the engine.
        work_ms: and in all other stages together, which need a core.
        cores: processor cores.
    """
    return max(2, min(math.ceil(work_ms / max(engine_ms, 1e-3)) + 2, cores + 1))
