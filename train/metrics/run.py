"""The `evaluate` command: a bundle, and the classical floor beside it, over data sets; a table and two files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hemonode import __version__
from hemonode.errors import DatasetError, OutputError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.segment import Segmenter
from hemonode.train.classical import ClassicalFloor
from hemonode.train.data.dataset import Dataset, load_dataset
from hemonode.train.evaluate import evaluate
from hemonode.train.metrics.method import BundleMethod, Method
from hemonode.train.metrics.result import Evaluation, EvaluationFile
from hemonode.train.metrics.table import RESEARCH_USE, markdown, notes, rich_table, scale_words

DESCRIPTIONS = Path(__file__).resolve().parents[1] / "recipes" / "datasets"


@dataclass(frozen=True)
class Request:
    """What was asked on the command line. `data` and `roots` go together; no roots: each description's own folder."""

    bundle: Path | None
    data: tuple[str, ...]
    roots: tuple[Path, ...]
    split: str
    engine: str
    setting: str | None
    precision: AskedPrecision
    red_cell_px: float | None
    estimate_scale: bool
    threads: int | None
    floor: bool
    as_json: bool
    out: Path | None


def run_evaluation(request: Request) -> None:
    """Evaluate a bundle and show the figures.

    Raises:
        HemonodeError: the bundle, a data set, a picture or the output folder cannot be used.
    """
    datasets = open_datasets(request.data, request.roots)
    make_output_folder(request.out)
    with ExitStack() as stack:
        segmenter = stack.enter_context(
            Segmenter(
                open_bundle(request.bundle),
                engine=request.engine,
                setting=request.setting,
                precision=request.precision,
                threads=request.threads,
            )
        )
        methods: list[Method] = [
            BundleMethod(segmenter, red_cell_px=request.red_cell_px, estimate_scale=request.estimate_scale)
        ]
        if request.floor:
            methods.append(ClassicalFloor(red_cell_px=request.red_cell_px))
        groups = evaluate_all(methods, datasets, request.split)
    report(groups, as_json=request.as_json, out=request.out)


def make_output_folder(out: Path | None) -> None:
    """Make the folder before the long work, so that its result is not lost.

    Raises:
        OutputError: it cannot be made.
    """
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out} cannot be made ({error.strerror}); choose another folder.") from error


def open_datasets(data: Sequence[str], roots: Sequence[Path]) -> list[Dataset]:
    """The data sets of some descriptions: each a path, a folder with its dataset.toml, or the name of a shipped one."""
    folders: Sequence[Path | None] = roots or [None] * len(data)
    return [load_dataset(_description(name), folder) for name, folder in zip(data, folders, strict=True)]


def evaluate_all(methods: Sequence[Method], datasets: Sequence[Dataset], split: str) -> list[list[Evaluation]]:
    """One list for each data set, in it one evaluation for each method; progress with the time left on stderr."""
    pictures = [len(dataset.entries(split)) for dataset in datasets]
    say = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=say, transient=True, disable=not say.is_terminal) as bar:
        task = bar.add_task("Evaluating", total=sum(pictures) * len(methods))
        return [
            [evaluate(method, dataset, split, on_picture=lambda: bar.advance(task)) for method in methods]
            for dataset in datasets
        ]


def report(groups: Sequence[Sequence[Evaluation]], *, as_json: bool, out: Path | None) -> None:
    """Print the figures, as a table or as JSON, and write evaluation.json and evaluation.md where asked.

    Raises:
        OutputError: the folder cannot be written.
    """
    record = EvaluationFile(
        hemonode_version=__version__, evaluations=tuple(evaluation for group in groups for evaluation in group)
    )
    if out is not None:
        _write(out, record, groups)
    console = Console()
    if as_json:
        console.out(record.model_dump_json(indent=2), highlight=False)
        return
    for group in groups:
        console.print(rich_table(group))
        for sentence in [*notes(group[0]), *(f"{scale_words(evaluation)}." for evaluation in group)]:
            console.print(f"  {sentence}", highlight=False, markup=False)
    console.print(RESEARCH_USE, highlight=False)


def _description(name: str) -> Path:
    shipped = DESCRIPTIONS / f"{name}.toml"
    for path in (Path(name), Path(name, "dataset.toml")):
        if path.is_file():
            return path
    if not shipped.is_file():
        names = ", ".join(sorted(path.stem for path in DESCRIPTIONS.glob("*.toml")))
        raise DatasetError(f"there is no data set {name!r}; give a dataset.toml, or one of the shipped ones: {names}.")
    return shipped


def _write(out: Path, record: EvaluationFile, groups: Sequence[Sequence[Evaluation]]) -> None:
    text = "\n".join(["# Evaluation\n", *(markdown(group) for group in groups), RESEARCH_USE + "\n"])
    try:
        (out / "evaluation.json").write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (out / "evaluation.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error.strerror}); choose another folder.") from error
