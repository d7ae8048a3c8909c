"""Put together what the children answered: one line for each contestant and batch size, with its ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemonode import __version__
from hemonode.benchmarks.bench.accuracy import agreement, mean_count_accuracy, mean_miou
from hemonode.benchmarks.bench.circumstances import Circumstances
from hemonode.benchmarks.bench.contestant import ADAPTIVE, BASELINE, COMPILED, EAGER, Contestant
from hemonode.benchmarks.bench.figures import Cost, Line, Quality, energy_per_frame, largest_memory, latency
from hemonode.benchmarks.bench.jobs import Judged, Probed, Timed, Worked
from hemonode.benchmarks.bench.ratios import setting_ratios, with_ratios
from hemonode.benchmarks.bench.request import Request
from hemonode.benchmarks.bench.result import Benchmark, Judgement, Subject
from hemonode.benchmarks.bench.rounds import Race, Times
from hemonode.benchmarks.bench.steadiness import steadiness
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.bundle.schema import SettingVerification, SolverSetting
from hemonode.runtime.engines import ENGINES
from hemonode.train.data.dataset import Dataset


@dataclass
class Found:
    """What the children answered so far."""

    engines: dict[str, Probed] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    work: dict[Contestant, Worked] = field(default_factory=dict)
    judged: dict[Contestant, Judged] = field(default_factory=dict)


def assemble(
    request: Request,
    bundle: Bundle,
    datasets: Sequence[Dataset],
    circumstances: Circumstances,
    frames: npt.NDArray[np.uint8],
    found: Found,
    finished: bool,
) -> Benchmark:
    """The whole result, from what was finished; `frames` [K, H, W, 3] are those that were timed."""
    lines = with_ratios([_line(race, timed, bundle, frames, found) for race, timed in found.times.timed.items()])
    pictures = [len(judged.names) for judged in found.judged.values()]
    subject = Subject(
        bundle=bundle.manifest.name,
        sha256=bundle.sha256,
        data=tuple(dataset.name for dataset in datasets),
        split=request.split,
        pictures=max(pictures, default=0),
        frame_px=(frames.shape[2], frames.shape[1]),
        frames=len(frames),
        weights_bytes=_weights(bundle),
        baseline=None if request.baseline is None else str(request.baseline),
    )
    return Benchmark(
        hemonode_version=__version__,
        finished=finished,
        subject=subject,
        circumstances=circumstances,
        engines=found.engines,
        lines=tuple(lines),
        ratios=tuple(setting_ratios(lines)),
        judgements=tuple(
            Judgement(contestant=contestant, evaluations=judged.evaluations)
            for contestant, judged in found.judged.items()
        ),
        left_out={**found.left_out, **{str(race): why for race, why in found.times.failed.items()}},
        steadiness=steadiness(found.times.loads_ms),
    )


def _line(race: Race, timed: Sequence[Timed], bundle: Bundle, frames: npt.NDArray[np.uint8], found: Found) -> Line:
    contestant = race.contestant
    setting = None if contestant.setting is None else bundle.setting(contestant.setting)
    worked = found.work.get(_in_eager_torch(contestant))
    cost = Cost(
        evaluations=_evaluations(setting, worked),
        multiply_adds=_multiply_adds(setting, worked, frames.shape[1] * frames.shape[2]),
        open_s=timed[0].open_s,
        graph_bytes=_graph_bytes(bundle, contestant),
        peak_mb=largest_memory([one.peak_mb for one in timed]),
        engine_mb=largest_memory([_engine_mb(one) for one in timed]),
        energy_j=energy_per_frame(timed, race.batch),
    )
    quality = _quality(contestant, setting, found)
    return Line(contestant=contestant, batch=race.batch, latency=latency(timed), cost=cost, quality=quality)


def _in_eager_torch(contestant: Contestant) -> Contestant:
    """Who counts the multiply-adds of the contestant's setting."""
    if contestant.setting is None:
        return contestant
    return Contestant(engine=EAGER, setting=contestant.setting)


def _evaluations(setting: SolverSetting | None, worked: Worked | None) -> float | None:
    if setting is not None:
        return float(sum(block.evaluations for block in setting.blocks))
    return None if worked is None else sum(worked.evaluations.values())


def _multiply_adds(setting: SolverSetting | None, worked: Worked | None, pixels: int) -> float | None:
    if setting is not None and setting.multiply_adds_per_px is not None:
        return setting.multiply_adds_per_px * pixels
    return None if worked is None else worked.multiply_adds


def _graph_bytes(bundle: Bundle, contestant: Contestant) -> int | None:
    if contestant.engine not in ENGINES or contestant.setting is None:
        return None
    graphs = bundle.setting(contestant.setting).graphs
    # Engines without graphs of their own precision take the fp32 graph.
    path = next((graph for precision, graph in graphs.items() if precision == contestant.precision), graphs["fp32"])
    return (bundle.folder / path).stat().st_size


def _weights(bundle: Bundle) -> dict[str, int]:
    graphs = {graph for setting in bundle.manifest.settings for graph in setting.graphs.values()}
    files = [Path(name) for name in bundle.manifest.files if name.startswith("solvers/") and name not in graphs]
    return {file.name: (bundle.folder / file).stat().st_size for file in files}


def _engine_mb(timed: Timed) -> float | None:
    if timed.peak_mb is None or timed.before_mb is None:
        return None
    return timed.peak_mb - timed.before_mb


def _quality(contestant: Contestant, setting: SolverSetting | None, found: Found) -> Quality:
    recorded = Quality() if setting is None else _recorded(setting, contestant.precision)
    judged = found.judged.get(_in_eager_torch(contestant) if contestant.engine == COMPILED else contestant)
    if judged is None:
        return recorded
    original = next((other for peer, other in found.judged.items() if peer.engine == ADAPTIVE), None)
    # The baseline is another network: how much its masks differ says nothing about solvers.
    comparable = original is not None and contestant.engine != BASELINE
    return recorded.model_copy(
        update={
            "agreement": agreement(judged, original) if comparable and original is not None else None,
            "miou": mean_miou(judged.evaluations),
            "count_accuracy": mean_count_accuracy(judged.evaluations),
        }
    )


def _recorded(setting: SolverSetting, precision: str) -> Quality:
    """Of the setting's graph in that precision; engines without graphs of their own precision take the fp32 graph."""
    proofs: dict[str, SettingVerification] = {str(name): proof for name, proof in setting.verification.items()}
    proof = proofs.get(precision, proofs.get("fp32"))
    rounding = {} if proof is None else proof.rounding_errors
    return Quality(
        state_error=_largest([_with(block.error, rounding.get(block.position)) for block in setting.blocks]),
        tile_error=_largest([_with(block.tile_error, rounding.get(block.position)) for block in setting.blocks]),
        recorded_agreement=None if proof is None else proof.mask_agreement_adaptive_onnx,
    )


def _with(error: float | None, rounding: float | None) -> float | None:
    """A solver's error with what rounding adds to it, at most."""
    return None if error is None else error + (rounding or 0.0)


def _largest(errors: Sequence[float | None]) -> float | None:
    """None where a block's error is not recorded: the largest of the others would promise too much."""
    told = [error for error in errors if error is not None]
    return max(told) if told and len(told) == len(errors) else None
