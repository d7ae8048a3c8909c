"""Whether the running tally counts each cell once: against known cells, on a moving, trembling, flickering view.

Run: python -m hemonode.benchmarks.tally_truth --fields ../shared/data/bcisc/fields
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemonode.benchmarks.machine import describe_machine
from hemonode.benchmarks.tally_routes import HAND, STAGE, Manner, Step, serpentine, steps
from hemonode.benchmarks.tally_scenes import SIZE, FieldScene, Known, Scene, SmearScene
from hemonode.device.frame import Frame
from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.classes import countable_names
from hemonode.runtime.counting.cells import Cell, tally
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.scale import Scale
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.segmentation import Pixels, Segmentation
from hemonode.runtime.tally.census import inset_px
from hemonode.runtime.tally.coverage import Rectangles, inside_any
from hemonode.runtime.tally.field import CountedField
from hemonode.runtime.tally.keyframes import covered_part
from hemonode.runtime.tally.landmarks import Landmarks
from hemonode.runtime.tally.ledger import Goal
from hemonode.runtime.tally.quality import Quality
from hemonode.runtime.tally.survey import Survey

Part = npt.NDArray[np.float64]
MANNERS = {"stage": STAGE, "hand": HAND}
_SLIDE_PX = (2400.0, 1300.0)
# Rows and stops overlap, as those of a careful scan do.
_STEP_X_PX, _STEP_Y_PX = 400.0, 290.0


@dataclass(frozen=True)
class Outcome:
    """One tally. `counted` and `true` by class name; `error_percent` of the count, None where no cell was there.

    `alone_percent` is what the model errs by in the counted fields, each taken for itself: the rest is the tally's.
    `frames` that were taken, of which `refused` by reason; `fields` is the area covered, `cpu_ms` the tally's own,
    per frame.
    """

    scene: str
    manner: str
    cells: str
    rate_hz: float
    frames: int
    refused: dict[str, int]
    fields: float
    counted: dict[str, int]
    true: dict[str, int]
    error_percent: dict[str, float | None] = field(default_factory=dict)
    all_error_percent: float = 0.0
    alone_percent: float = 0.0
    cpu_ms: float = 0.0


def run(
    scene: Scene,
    way: Sequence[Step],
    labels: tuple[str, float],
    classes: Sequence[ClassRecord],
    segmenter: Segmenter | None,
) -> Outcome:
    """Tally a scene along a way.

    Args:
        scene: what lies there.
        way: the pictures to take.
        labels: manner and rate, for the outcome.
        classes: that are counted.
        segmenter: finds the cells; None takes the true ones.
    """
    kept: list[CountedField] = []
    survey = Survey(scene.name, classes, Goal(1, 10.0), {}, 0.0, kept.append, EventLog())
    quality = Quality(classes)
    corners: dict[int, tuple[float, float]] = {}
    spent_s = 0.0
    for step in way:
        pixels, taken, true_cells = scene.look(step)
        corners[step.number] = taken.x, taken.y
        result = _result(pixels, taken, scene.red_cell_px, true_cells, classes, segmenter)
        started = time.thread_time()
        survey.consider(result, quality.judge(result))
        spent_s += time.thread_time() - started
    survey.finish()
    status = survey.status()
    counted = {entry.name: entry.counted for entry in status.classes}
    parts = [covered_part(corners[e.result.frame.sequence], SIZE, inset_px(SIZE, scene.red_cell_px)) for e in kept]
    true = _inside(scene.known(), np.array(parts).reshape(-1, 4), classes)
    found, there = _each_alone(scene, kept, parts)
    return Outcome(
        scene=scene.name,
        manner=labels[0],
        cells="true" if segmenter is None else "model",
        rate_hz=labels[1],
        frames=len(way),
        refused=status.refused,
        fields=round(status.fields, 2),
        counted=counted,
        true=true,
        error_percent={name: _error(counted[name], true[name]) for name in counted},
        all_error_percent=_error(sum(counted.values()), sum(true.values())) or 0.0,
        alone_percent=_error(found, there) or 0.0,
        cpu_ms=round(1e3 * spent_s / max(1, len(way)), 2),
    )


def _result(
    pixels: Pixels,
    step: Step,
    red_cell_px: float,
    cells: list[Cell] | None,
    classes: Sequence[ClassRecord],
    segmenter: Segmenter | None,
) -> Result:
    if segmenter is not None:
        segmentation = segmenter.segment(pixels, red_cell_px=red_cell_px)
    else:
        segmentation = Segmentation(np.zeros(pixels.shape[:2], np.uint8), tuple(cells or ()), red_cell_px, "given")
    frame = Frame(pixels, step.number, int(step.at_s * 1e9))
    ids = tuple(countable_names(classes))
    counts = tally(list(segmentation.cells), ids)
    return Result(frame, segmentation, Scale(red_cell_px, "given"), counts, {}, 0.0)


def _inside(known: Sequence[Known], parts: Rectangles, classes: Sequence[ClassRecord]) -> dict[str, int]:
    """Distinct cells whose centre lies in what the counted fields cover, where they truly lay."""
    inside = inside_any(np.array([(cell.x, cell.y) for cell in known]).reshape(-1, 2), parts)
    counts = Counter(cell.class_id for cell, within in zip(known, inside, strict=True) if within)
    return {name: counts[class_id] for class_id, name in countable_names(classes).items()}


def _each_alone(scene: Scene, kept: Sequence[CountedField], parts: Sequence[Part]) -> tuple[int, int]:
    """Cells found, and cells there, in the covered part of each counted field, added up."""
    places = np.array([(cell.x, cell.y) for cell in scene.known()]).reshape(-1, 2)
    found = there = 0
    for entry, part in zip(kept, parts, strict=True):
        inset = inset_px(SIZE, scene.red_cell_px)
        seen = Landmarks.of(entry.result.segmentation.cells).centres
        found += int(inside_any(seen, covered_part((0.0, 0.0), SIZE, inset)[None]).sum())
        there += int(inside_any(places, part[None]).sum())
    return found, there


def _error(counted: int, true: int) -> float | None:
    return round(100 * (counted - true) / true, 2) if true else None


def _way(manner: Manner, room: tuple[float, float], rate_hz: float, seed: int) -> list[Step]:
    return list(steps(serpentine(*room, _STEP_X_PX, _STEP_Y_PX), manner, rate_hz, seed))


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """A table of all outcomes."""
    lines = [
        "| scene | moved by | cells by | frames/s | frames | not tallied | fields | counted / true (error) | all "
        "| model alone | CPU-ms |",
        "|---|---|---|---:|---:|---|---:|---|---:|---:|---:|",
    ]
    for entry in outcomes:
        refused = ", ".join(f"{reason} {count}" for reason, count in sorted(entry.refused.items())) or "0"
        errors = ", ".join(
            f"{name} {count} / {entry.true[name]} ({'–' if error is None else f'{error:+.1f} %'})"
            for (name, count), error in zip(entry.counted.items(), entry.error_percent.values(), strict=True)
        )
        lines.append(
            f"| {entry.scene} | {entry.manner} | {entry.cells} | {entry.rate_hz:g} | {entry.frames} | {refused} "
            f"| {entry.fields:.1f} | {errors} | {entry.all_error_percent:+.2f} % "
            f"| {entry.alone_percent:+.2f} % | {entry.cpu_ms:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; see the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", type=Path, help="folder of large pictures to pan over")
    parser.add_argument("--rate", type=float, action="append", help="frames/s, may be given again (default 5, 12, 25)")
    parser.add_argument("--stain", action="append", help="of the simulated slide, may be given again (default lilac)")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--json", type=Path, help="write all figures here")
    asked = parser.parse_args(arguments)
    try:
        outcomes = _all(asked)
    except HemonodeError as error:
        print(error, file=sys.stderr)
        return 1
    print(as_markdown(outcomes))
    if asked.json is not None:
        record = {"machine": asdict(describe_machine()), "outcomes": [asdict(entry) for entry in outcomes]}
        asked.json.write_text(json.dumps(record, indent=1))
    return 0


def _all(asked: argparse.Namespace) -> list[Outcome]:
    outcomes = []
    bundle = open_bundle()
    classes = bundle.manifest.classes
    with Segmenter(bundle, engine=asked.engine, threads=2) as segmenter:
        for rate_hz in asked.rate or (5.0, 12.0, 25.0):
            for name, manner in MANNERS.items():
                for stain in asked.stain or ("lilac",):
                    way = _way(manner, _SLIDE_PX, rate_hz, seed=1)
                    for by in (None, segmenter):
                        outcomes.append(run(SmearScene(3, stain), way, (name, rate_hz), classes, by))
                        print(as_markdown(outcomes[-1:]).splitlines()[-1], file=sys.stderr)
                for path in sorted(asked.fields.glob("*.jpg")) if asked.fields else ():
                    scene = FieldScene(path, segmenter)
                    way = _way(manner, scene.room, rate_hz, seed=1)
                    outcomes.append(run(scene, way, (name, rate_hz), classes, segmenter))
                    print(as_markdown(outcomes[-1:]).splitlines()[-1], file=sys.stderr)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
