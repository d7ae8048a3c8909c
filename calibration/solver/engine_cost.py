"""What an evaluation of f and a term of the Runge-Kutta sums cost in each block, timed on an engine."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.weights import WeightFile
from hemonode.export.graph.writer import write_graph
from hemonode.export.manifest import SOLVERS, draft_manifest, graph_name
from hemonode.export.search.cost import Cost, terms
from hemonode.export.search.measure import Advance
from hemonode.export.search.network import Network
from hemonode.export.settings import Setting, integrating
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.bundle.writer import write_manifest
from hemonode.runtime.engines import open_engine
from hemonode.runtime.engines.contract import AskedPrecision, Engine
from hemonode.train.checkpoint import Checkpoint

BASE = Unrolled(TABLEAUS["euler"], uniform_grid(1))
PROBES = {
    "few": Unrolled(TABLEAUS["euler"], uniform_grid(13)),
    "many": Unrolled(TABLEAUS["dopri5"], uniform_grid(2)),
}
"""About as many evaluations of f, with few terms and with many."""

ROUNDS = 15


@dataclass(frozen=True)
class Bench:
    """Where to measure: an engine, what it computes in, and its threads."""

    engine: str
    precision: AskedPrecision
    threads: int | None


def engine_cost(
    checkpoint: Checkpoint, network: Network, frames: Sequence[PreparedFrame], bench: Bench, advance: Advance
) -> Cost:
    """Measure the cost model in milliseconds, on frames of the commonest size.

    The network is timed with a probe in one block and a single Euler step in the others, all probes in turns, so that
    what else the machine does meets them alike.

    Raises:
        EngineError: the engine cannot be opened or fails.
        ExportError: the network cannot be written as a graph.
    """
    settings = [Setting("base", dict.fromkeys(network.blocks, BASE))]
    for position in network.blocks:
        others = dict.fromkeys(network.blocks, BASE)
        settings += [Setting(f"{name}{position}", {**others, position: probe}) for name, probe in PROBES.items()]
    shape, _ = Counter(frame.pixels.shape for frame in frames).most_common(1)[0]
    batches = [frame.pixels[np.newaxis] for frame in frames if frame.pixels.shape == shape]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bundle = _write(checkpoint, network, settings, Path(folder))
        engines = {
            setting.name: stack.enter_context(
                open_engine(
                    bundle,
                    (1, *shape[:2]),
                    engine=bench.engine,
                    setting=setting.name,
                    precision=bench.precision,
                    threads=bench.threads,
                )
            )
            for setting in settings
        }
        used = engines["base"]
        times = _time(engines, batches, advance)
    rates = {position: _rates(times, position) for position in network.blocks}
    return Cost(
        unit=f"ms on {used.name} in {used.precision}, {shape[1]}×{shape[0]} px",
        per_evaluation={position: rate[0] for position, rate in rates.items()},
        per_term={position: rate[1] for position, rate in rates.items()},
    )


def _write(checkpoint: Checkpoint, network: Network, settings: Sequence[Setting], folder: Path) -> Bundle:
    (folder / SOLVERS).mkdir()
    weights = WeightFile("fp32")
    for setting in settings:
        with integrating(network.model, setting.solvers):
            graph = write_graph(network.model, setting.name, network.heads, weights)
        (folder / graph_name(setting.name, "fp32")).write_bytes(graph.SerializeToString())
    weights.save(folder / SOLVERS)
    write_manifest(folder, draft_manifest("probes", checkpoint, network.heads, settings, "base", ("fp32",)))
    return open_bundle(folder)


def _time(engines: dict[str, Engine], batches: Sequence[npt.NDArray[np.uint8]], advance: Advance) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in engines}
    for engine in engines.values():
        engine.warm_up()
    for turn in range(ROUNDS):
        advance("Timing the engine", turn, ROUNDS)
        for name, engine in engines.items():
            started = time.perf_counter()
            engine.run(batches[turn % len(batches)])
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: median(values) for name, values in times.items()}


def _rates(times: dict[str, float], position: int) -> tuple[float, float]:
    """(ms per evaluation, ms per term), neither below 0, which noise could make them."""
    rows = [(probe.evaluations - BASE.evaluations, terms(probe) - terms(BASE)) for probe in PROBES.values()]
    extra = [times[f"{name}{position}"] - times["base"] for name in PROBES]
    evaluation, term = np.linalg.solve(np.array(rows, float), np.array(extra))
    if term < 0:
        evaluation, term = sum(extra) / sum(row[0] for row in rows), 0.0
    return max(float(evaluation), 1e-6), float(term)
