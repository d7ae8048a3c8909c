"""Measures the classical floor on labelled pictures, a bundle beside it where one is named; chooses its parameters.

Example: python -m hemonode.benchmarks.classical_floor --data bccd --root ../shared/data/bccd
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.preprocess import resample
from hemonode.runtime.segment import Segmenter
from hemonode.train.classical import WORKING_RED_CELL_PX, ClassicalFloor, FloorParameters, classify, find_peaks
from hemonode.train.data.dataset import Dataset
from hemonode.train.data.sample import Box, Sample
from hemonode.train.metrics.matching import gained_matches, near
from hemonode.train.metrics.method import BundleMethod, Method
from hemonode.train.metrics.run import evaluate_all, make_output_folder, open_datasets, report

TUNE_PICTURES = 60
"""From each data set, evenly spread over the split's names."""

CHOICES: dict[str, tuple[Any, ...]] = {
    "nucleus_light": tuple((least, most) for least in (0.35, 0.4, 0.45) for most in (0.55, 0.6, 0.65, 0.7)),
    "joined_lobes": (0.05, 0.1, 0.15, 0.2, 0.3),
    "white_area": (0.3, 0.4, 0.5, 0.7, 0.9),
    "platelet_light": (0.6, 0.65, 0.7, 0.74, 0.78),
    "platelet_area": tuple((least, most) for least in (0.02, 0.035, 0.05, 0.07) for most in (0.15, 0.2, 0.3, 0.4)),
    "cytoplasm": (0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
    "broken_rim": (0.05, 0.1, 0.15, 0.2, 0.25),
    "pallor_area": (0.15, 0.25, 0.4),
    "red_distance": (0.25, 0.3, 0.35, 0.45, 0.5, 0.6),
    "red_radius": (0.1, 0.15, 0.2, 0.25, 0.3),
}


@dataclass(frozen=True)
class TuningPicture:
    """A training picture at the floor's working scale: uint8 [h, w, 3] BGR, boxes in its pixels."""

    dataset: str
    pixels: npt.NDArray[np.uint8]
    boxes: tuple[Box, ...]
    complete_ids: tuple[int, ...]


def main(
    data: list[str] = typer.Option(..., "--data", help="A dataset.toml, or a shipped one's name. Repeatable."),
    root: list[Path] = typer.Option([], "--root", help="The data set's folder, one for each --data."),
    split: str = typer.Option("val", "--split", help="Which of its pictures; with --tune, the training split."),
    bundle: Path = typer.Option(None, "--bundle", help="A bundle to measure beside the floor."),
    tune: bool = typer.Option(False, "--tune", help="Choose the parameters and print them, instead of measuring."),
    as_json: bool = typer.Option(False, "--json", help="Print the figures as JSON."),
    out: Path = typer.Option(None, "--out", "-o", help="Folder for evaluation.json and evaluation.md."),
) -> None:
    """Measure, or tune, the classical floor."""
    if root and len(root) != len(data):
        raise typer.BadParameter("give one --root for each --data, or none", param_hint="--root")
    datasets = open_datasets(data, root)
    if tune:
        pictures = [picture for dataset in datasets for picture in read_tuning_pictures(dataset, split)]
        typer.echo(choose_parameters(pictures, CHOICES, Console(stderr=True)))
        return
    make_output_folder(out)
    with ExitStack() as stack:
        methods: list[Method] = [ClassicalFloor()]
        if bundle is not None:
            methods.insert(0, BundleMethod(stack.enter_context(Segmenter(open_bundle(bundle)))))
        groups = evaluate_all(methods, datasets, split)
    report(groups, as_json=as_json, out=out)


def read_tuning_pictures(dataset: Dataset, split: str) -> list[TuningPicture]:
    """Pictures with complete boxes, at the floor's working scale."""
    entries = dataset.entries(split)
    step = max(len(entries) // TUNE_PICTURES, 1)
    samples = (dataset.read(entry) for entry in entries[::step])
    return [_shrunk(dataset.name, sample) for sample in samples if sample.boxes is not None and sample.complete_ids]


def choose_parameters(
    pictures: Sequence[TuningPicture], choices: dict[str, tuple[Any, ...]], say: Console
) -> FloorParameters:
    """Change one parameter at a time to its best value, until a round over all of them changes none."""
    best, best_score = FloorParameters(), mean_f1(pictures, FloorParameters())
    improved = True
    while improved:
        improved = False
        for name, values in choices.items():
            for value in values:
                candidate = replace(best, **{name: value})
                score = mean_f1(pictures, candidate)
                if score > best_score:
                    best, best_score, improved = candidate, score, True
            say.print(f"{name} = {getattr(best, name)}: mean F1 {best_score:.4f}", highlight=False)
    return best


def mean_f1(pictures: Sequence[TuningPicture], parameters: FloorParameters) -> float:
    """F1 pooled within each data set and class, then averaged over both: no stain and no class outweighs another."""
    doubled: Counter[tuple[str, int]] = Counter()
    cells: Counter[tuple[str, int]] = Counter()
    for picture in pictures:
        peaks = find_peaks(classify(picture.pixels, parameters), parameters)
        for class_id in picture.complete_ids:
            centres = peaks[peaks[:, 0] == class_id, 1:3].astype(np.float64)
            boxes = [box for box in picture.boxes if box.class_id == class_id]
            doubled[picture.dataset, class_id] += 2 * int(gained_matches(near(centres, boxes)).sum())
            cells[picture.dataset, class_id] += len(centres) + len(boxes)
    return float(np.mean([doubled[key] / max(cells[key], 1) for key in cells]))


def _shrunk(dataset: str, sample: Sample) -> TuningPicture:
    factor = WORKING_RED_CELL_PX / sample.red_cell_px
    boxes = tuple(
        Box(box.class_id, box.x * factor, box.y * factor, box.width * factor, box.height * factor)
        for box in sample.boxes or ()
    )
    return TuningPicture(dataset, resample(sample.pixels, factor), boxes, sample.complete_ids)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    try:
        typer.run(main)
    except HemonodeError as error:
        sys.exit(f"classical_floor: {error}")
