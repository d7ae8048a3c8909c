"""Milliseconds per frame and stage for each engine, and the live pipeline's rate against what they allow.

Run: python -m hemonode.benchmarks.frame_stages --images PICTURES --engine cpu --engine openvino
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from hemonode.benchmarks.machine import describe_machine
from hemonode.benchmarks.stage_clock import StageClock
from hemonode.benchmarks.stage_rate import measure_rate
from hemonode.benchmarks.stage_report import EngineReport, as_markdown
from hemonode.device.frame import Frame
from hemonode.device.pictures import read_picture
from hemonode.errors import HemonodeError, PictureError
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.classes import countable_names
from hemonode.runtime.counting.cells import tally
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.scale import Scale
from hemonode.runtime.overlay import draw_overlay
from hemonode.runtime.segment import Segmenter
from hemonode.runtime.web.encode import encode_packet

FRAME_SIZE = (640, 480)
WARM_UP_FRAMES = 5
SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}


def pictures(folder: Path, most: int) -> list[Path]:
    """The first pictures of a folder, by name.

    Raises:
        PictureError: there are none.
    """
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)[:most]
    if not found:
        raise PictureError(f"there is no picture in {folder} to measure with; name another folder with --images")
    return found


def measure_stages(segmenter: Segmenter, paths: Sequence[Path], frames: int, red_cell_px: float) -> StageClock:
    """Take frames one after another through every stage, on one thread."""
    clock = StageClock()
    for number in range(WARM_UP_FRAMES + frames):
        if number == WARM_UP_FRAMES:
            clock = StageClock()
        _one_frame(segmenter, paths[number % len(paths)], red_cell_px, clock)
    return clock


def _one_frame(segmenter: Segmenter, path: Path, red_cell_px: float, clock: StageClock) -> None:
    with clock.stage("decode"):
        pixels = read_picture(path)
    # Pictures of another size would measure something else.
    if pixels.shape[1::-1] != FRAME_SIZE:
        pixels = np.asarray(cv2.resize(pixels, FRAME_SIZE), np.uint8)
    with clock.stage("preprocess"):
        prepared = segmenter.prepare(pixels, red_cell_px=red_cell_px)
    with clock.stage("engine"):
        inferred = segmenter.infer(prepared)
    with clock.stage("count"):
        found = segmenter.finish(prepared, inferred)
    classes = segmenter.bundle.manifest.classes
    with clock.stage("overlay"):
        draw_overlay(pixels, found.class_ids, found.cells, classes)
    counts = tally(list(found.cells), tuple(countable_names(classes)))
    result = Result(Frame(pixels, 0, 0), found, Scale(red_cell_px, "given"), counts, {}, 0.0)
    with clock.stage("encode"):
        encode_packet(result, 0, segmenter.bundle.manifest.scale.red_cell_um)


def measure_engine(
    bundle: Bundle, engine: str, precision: str, paths: Sequence[Path], frames: int, red_cell_px: float, cores: int
) -> EngineReport:
    """Stages on one thread, then the pipeline on every core, with one engine."""

    def open_segmenter(lanes: int) -> Segmenter:
        return Segmenter(bundle, engine=engine, precision=precision, threads=lanes, lanes=lanes)  # type: ignore[arg-type]

    with open_segmenter(1) as segmenter:
        clock = measure_stages(segmenter, paths, frames, red_cell_px)
        opened = segmenter.engine
        setting = segmenter.setting
    stages = clock.summary()
    rate_hz = measure_rate(lambda: open_segmenter(cores), [read_picture(path) for path in paths], frames, red_cell_px)
    return EngineReport(opened.name, opened.version, opened.precision, setting, stages, cores, rate_hz)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 0, or 1 when something cannot be measured as asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="model bundle (default: the shipped one)")
    parser.add_argument("--engine", action="append", help="engine; repeat for several (default: cpu and openvino)")
    parser.add_argument("--precision", default="auto", choices=get_args(AskedPrecision))
    parser.add_argument("--images", type=Path, required=True, help="folder of 640×480 pictures")
    parser.add_argument("--frames", type=int, default=200, help="frames per engine (default: 200)")
    parser.add_argument("--red-cell-px", type=float, default=90.0, help="red-cell diameter in the pictures, px")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args(arguments)
    # One thread per stage, as in a worker of the live pipeline, so that CPU time and wall time can be compared.
    cv2.setNumThreads(1)
    machine = describe_machine()
    try:
        bundle = open_bundle(asked.bundle)
        paths = pictures(asked.images, asked.frames)
        reports = [
            measure_engine(bundle, engine, asked.precision, paths, asked.frames, asked.red_cell_px, machine.cores)
            for engine in asked.engine or ["cpu", "openvino"]
        ]
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    print(as_markdown(machine, bundle.manifest.name, reports))
    if asked.json is not None:
        figures = {"machine": asdict(machine), "engines": [report.as_json() for report in reports]}
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
