"""Who takes part in a run: every way to run the bundle that was asked for, and which of them work here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

from hemonode.benchmarks.bench.contestant import ADAPTIVE, BASELINE, COMPILED, EAGER, Contestant, Ground
from hemonode.benchmarks.bench.jobs import Probe, Probed
from hemonode.benchmarks.bench.request import Request
from hemonode.benchmarks.bench.spawn import run_job
from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines import ENGINES
from hemonode.runtime.engines.contract import AskedPrecision

PEER_NAMES = {"adaptive": ADAPTIVE, "eager": EAGER, "compile": COMPILED}
"""As the command line calls torch's peers."""

PRECISIONS = tuple(name for name in get_args(AskedPrecision) if name != "auto")


def list_contestants(request: Request, bundle: Bundle) -> list[Contestant]:
    """Everything that was asked for, the references first, whether or not it works here.

    Raises:
        BundleError: no such solver setting.
    """
    settings = [bundle.setting(name).name for name in request.settings] or [s.name for s in bundle.manifest.settings]
    found = [] if request.baseline is None else [Contestant(engine=BASELINE, setting=None)]
    if request.checkpoint is not None:
        for peer in request.peers or PEER_NAMES:
            solved = [None] if PEER_NAMES[peer] == ADAPTIVE else settings
            found += [Contestant(engine=PEER_NAMES[peer], setting=setting) for setting in solved]
    for engine in request.engines or ENGINES:
        for precision in request.precisions or PRECISIONS:
            found += [Contestant(engine=engine, setting=setting, precision=precision) for setting in settings]
    return found


def without_graph(contestants: Sequence[Contestant], bundle: Bundle) -> dict[str, list[Contestant]]:
    """Those whose setting the bundle holds no graph of in their precision, by `Contestant.label`."""
    found: dict[str, list[Contestant]] = {}
    for contestant in contestants:
        # bf16 is computed on the fp32 graph.
        needed = "fp32" if contestant.precision == "bf16" else contestant.precision
        if contestant.engine in ENGINES and needed not in bundle.setting(contestant.setting).graphs:
            found.setdefault(contestant.label, []).append(contestant)
    return found


def probe(
    contestants: Sequence[Contestant], ground: Ground, on_probed: Callable[[Contestant], None]
) -> tuple[dict[str, Probed], dict[str, str]]:
    """Try every engine in every precision once, on the smallest frame.

    Args:
        contestants: all that were asked for; the first of those that differ only in their setting is tried.
        ground: of the run.
        on_probed: told before each try.

    Returns:
        By `Contestant.label`: what works, and in a sentence why the others do not.

    Raises:
        CheckpointError, BundleError: what was given cannot be used, wherever it runs.
    """
    working: dict[str, Probed] = {}
    left_out: dict[str, str] = {}
    for contestant in contestants:
        if contestant.label in working or contestant.label in left_out:
            continue
        on_probed(contestant)
        try:
            working[contestant.label] = run_job(Probe(ground=ground, contestant=contestant), Probed)
        except EngineError as error:
            left_out[contestant.label] = str(error)
    return working, left_out
