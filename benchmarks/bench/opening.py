"""Open any contestant as an engine: a bundle's engines as the device does, torch's peers through the same contract."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import cast

from hemonode.benchmarks.bench.contestant import BASELINE, PEERS, Contestant, Ground
from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.engines import open_engine
from hemonode.runtime.engines.contract import AskedPrecision, Engine, Shape
from hemonode.runtime.segment import Segmenter


def bundle_of(contestant: Contestant, ground: Ground) -> Bundle:
    """The bundle that a contestant answers for: classes, thresholds and working scale.

    Raises:
        EngineError: torch is needed and not installed.
        BundleError, CheckpointError: it cannot be read.
    """
    if contestant.engine == BASELINE:
        return cast(Bundle, torch_peers().baseline_bundle(ground))
    assert ground.bundle is not None
    return open_bundle(ground.bundle)


def open_contestant(contestant: Contestant, ground: Ground, bundle: Bundle, shape: Shape) -> Engine:
    """Open a contestant for frames of one shape.

    Raises:
        EngineError: it does not work here, with the reason.
        HemonodeError: the bundle or checkpoint cannot be used.
    """
    if contestant.engine in (*PEERS, BASELINE):
        return cast(Engine, torch_peers().open_peer(contestant, ground, bundle, shape))
    return open_engine(
        bundle,
        shape,
        engine=contestant.engine,
        setting=contestant.setting,
        precision=cast(AskedPrecision, contestant.precision),
        threads=ground.threads,
    )


def torch_peers() -> ModuleType:
    """The module of the torch peers, imported only where one takes part.

    Raises:
        EngineError: torch, or what it needs, is not installed.
    """
    try:
        from hemonode.benchmarks.bench import torch_peers as module
    except ModuleNotFoundError as error:
        raise EngineError(f"not installed: {error.name}; pip install 'hemonode[export]'") from error
    return module


class ContestantSegmenter(Segmenter):
    """The device's way from a picture to cells, on an engine that the caller opens."""

    def __init__(self, bundle: Bundle, open_for: Callable[[Shape], Engine]) -> None:
        super().__init__(bundle, open_rung=lambda rung: open_for(rung.shape))
