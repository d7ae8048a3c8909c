"""The `train` command: from a recipe and labelled folders to a checkpoint that can be exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hemonode.errors import DatasetError, InterruptedByUser
from hemonode.runtime.bundle.files import hash_file
from hemonode.runtime.classes import BLOOD_CLASSES
from hemonode.train.augment import WorkingSample
from hemonode.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from hemonode.train.data.dataset import Dataset, load_dataset
from hemonode.train.history import Record
from hemonode.train.models.integrators import Integrator
from hemonode.train.patches import Source, at_working_scale, to_working_sample
from hemonode.train.peak_thresholds import PicturePeaks, choose_peak_thresholds
from hemonode.train.recipe import DataPart, Recipe, find_recipe, load_recipe
from hemonode.train.solvers import check_solver, use_solver
from hemonode.train.trainer import VALIDATION_SOLVER, Trainer
from hemonode.train.validate import PROVISIONAL_THRESHOLD, predict


@dataclass(frozen=True)
class Material:
    """The pictures of a recipe, in memory, and where they are from."""

    sources: tuple[Source, ...]
    tune: list[WorkingSample]
    licences: tuple[str, ...]
    names: tuple[str, ...]


def countable_ids(recipe: Recipe) -> tuple[int, ...]:
    """Class id of each plane of the recipe's heat map: 1, 2, … in the classes' order."""
    return tuple(range(1, recipe.model.countable + 1))


def read_material(recipe: Recipe, recipe_path: Path, data_root: Path) -> Material:
    """Read every picture of a recipe's data sets.

    Raises:
        DatasetError, PictureError: a data set is not there, or not as described.
    """
    sources, tune, licences, names = [], [], [], []
    for part in recipe.data:
        dataset = load_dataset(recipe_path.parent / part.dataset, data_root / part.folder)
        sources.append(Source(_working_samples(recipe, part, dataset, part.train_split), part.repeat))
        tune += _tune_samples(recipe, part, dataset)
        licences.append(f"{dataset.name}: {dataset.licence}")
        names.append(dataset.name)
    if not tune:
        raise DatasetError(
            f"no data set of recipe '{recipe.name}' has a split to choose the checkpoint by: "
            "carve a split 'tune' out of 'train' in a dataset.toml"
        )
    return Material(tuple(sources), tune, tuple(licences), tuple(names))


def read_tune_samples(recipe: Recipe, recipe_path: Path, data_root: Path) -> list[WorkingSample]:
    """The pictures that a recipe chooses by, at the working scale, without those that it trains on.

    Raises:
        DatasetError, PictureError: a data set is not there, or not as described.
    """
    datasets = [
        (part, load_dataset(recipe_path.parent / part.dataset, data_root / part.folder)) for part in recipe.data
    ]
    return [sample for part, dataset in datasets for sample in _tune_samples(recipe, part, dataset)]


def _tune_samples(recipe: Recipe, part: DataPart, dataset: Dataset) -> list[WorkingSample]:
    if part.tune_split not in dataset.splits:
        return []
    samples = _working_samples(recipe, part, dataset, part.tune_split)
    return [at_working_scale(sample, recipe.scale.red_cell_px) for sample in samples]


def _working_samples(recipe: Recipe, part: DataPart, dataset: Dataset, split: str) -> tuple[WorkingSample, ...]:
    return tuple(
        to_working_sample(sample, recipe.scale.red_cell_px, countable_ids(recipe), part.foreground_id)
        for sample in dataset.samples(split)
    )


class Through(NamedTuple):
    """Integrators that training goes through, by position of the block, and how the checkpoint's recipe names them."""

    name: str
    integrators: Mapping[int, Integrator]


def run_training(
    recipe_name: str,
    data_root: Path,
    out: Path,
    epochs: int | None = None,
    changes: Sequence[str] = (),
    start: Path | None = None,
    through: Through | None = None,
) -> None:
    """Train, or go on where the folder's run stopped, and choose the counting thresholds.

    Args:
        recipe_name: a recipe's file, or the name of a shipped one.
        data_root: the folder of the recipe's data folders.
        out: the run's folder.
        epochs: instead of the recipe's.
        changes: "KEY=VALUE", see `load_recipe`.
        start: a checkpoint to start from instead of fresh weights.
        through: what integrates the blocks instead of the recipe's solvers.

    Raises:
        HemonodeError: the recipe, the data, the checkpoint or the folder cannot be used.
        InterruptedByUser: Ctrl-C; the finished epochs are kept.
    """
    say = Console(stderr=True)
    recipe_path = find_recipe(recipe_name)
    if epochs is not None:
        changes = (*changes, f"training.epochs={epochs}")
    recipe = load_recipe(recipe_path, changes)
    weights = None
    if start is not None:
        weights = load_checkpoint(start).weights
        sha256 = hash_file(start)
        recipe = _with_training(recipe, start_sha256=sha256)
    if through is not None:
        recipe = _with_training(recipe, through=through.name)
    for solver in recipe.training.solvers:
        check_solver(solver)
    material = read_material(recipe, recipe_path, data_root)
    pictures = sum(len(source.samples) for source in material.sources)
    say.print(f"{recipe.name}: {pictures} training pictures, {len(material.tune)} to choose by", highlight=False)
    trainer = Trainer(
        recipe,
        material.sources,
        material.tune,
        out,
        licences=material.licences,
        trained_on=material.names,
        countable_ids=countable_ids(recipe),
        start=weights,
        integrators=None if through is None else through.integrators,
    )
    best = _train(trainer, say)
    checkpoint = with_thresholds(load_checkpoint(best), material, say)
    save_checkpoint(checkpoint, best)
    chosen = ", ".join(
        f"{BLOOD_CLASSES[key].name.replace('_', ' ')} {value:.2f}"
        for key, value in checkpoint.peak_thresholds.items()
        if key < len(BLOOD_CLASSES)
    )
    say.print(f"best epoch {checkpoint.epochs}, score {checkpoint.score:.4f}; thresholds: {chosen}", highlight=False)
    say.print(f"export it with: hemonode export {best} -o {recipe.name}.hemo --help", highlight=False)


def _with_training(recipe: Recipe, **values: str) -> Recipe:
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=values)})


def _train(trainer: Trainer, say: Console) -> Path:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=say, disable=not say.is_terminal) as bar:
        task = bar.add_task("steps", total=trainer.total_steps)

        def on_epoch(record: Record) -> None:
            f1 = " ".join(f"{key}:{value:.3f}" for key, value in record["f1"].items())
            spent = " ".join(f"{key}:{value:.0f}" for key, value in record["evaluations"].items())
            say.print(
                f"epoch {record['epoch']}: loss {record['loss']:.4f}, score {record['score']:.4f}, "
                f"MIoU {record['miou']:.4f}, F1 {f1}, NFE {spent}",
                highlight=False,
            )

        try:
            return trainer.run(lambda done, total: bar.update(task, completed=done, total=total), on_epoch)
        except KeyboardInterrupt as error:
            raise InterruptedByUser(
                f"stopped by Ctrl-C after epoch {trainer.epoch}; the same command goes on from there "
                f"({trainer.folder.path})"
            ) from error


def with_thresholds(checkpoint: Checkpoint, material: Material, say: Console) -> Checkpoint:
    """The checkpoint with each class's counting threshold, chosen on training pictures with boxes.

    A class that was not learnt yet, or has no boxes, keeps the provisional threshold; this is said.
    """
    recipe = checkpoint.recipe
    ids = countable_ids(recipe)
    complete = [
        at_working_scale(sample, recipe.scale.red_cell_px)
        for source in material.sources
        for sample in source.samples
        if set(ids) <= set(sample.complete_ids)
    ]
    model = checkpoint.build_model()
    use_solver(model, VALIDATION_SOLVER)
    pictures = [
        PicturePeaks(predict(model, sample, recipe, ids)[1], sample.boxes, sample.complete_ids)
        for sample in [*material.tune, *complete]
        if sample.boxes is not None
    ]
    thresholds: dict[int, float] = {}
    for class_id in ids:
        try:
            thresholds |= choose_peak_thresholds(pictures, [class_id]).thresholds
        except DatasetError as error:
            thresholds[class_id] = PROVISIONAL_THRESHOLD
            say.print(f"class {class_id} keeps the threshold {PROVISIONAL_THRESHOLD}: {error}", highlight=False)
    return replace(checkpoint, peak_thresholds=thresholds)
