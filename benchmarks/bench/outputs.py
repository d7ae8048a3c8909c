"""Write what a benchmark found: bench.json, bench.csv, bench.md and bench.png."""

from __future__ import annotations

import csv
from pathlib import Path

from hemonode.benchmarks.bench.picture import draw
from hemonode.benchmarks.bench.report import PICTURE_NAME, markdown
from hemonode.benchmarks.bench.result import Benchmark
from hemonode.benchmarks.bench.table import columns_of
from hemonode.errors import OutputError
from hemonode.runtime.atomic import write_atomically


def write_record(benchmark: Benchmark, out: Path) -> None:
    """Write bench.json alone, whole or not at all: done again and again, so that a lost connection loses little.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        write_atomically(out / "bench.json", (benchmark.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error.strerror}); choose another folder.") from error


def write_outputs(benchmark: Benchmark, out: Path) -> str | None:
    """Write all files into a folder that is there.

    Returns:
        Why there is no picture, in a sentence, or None where there is one.

    Raises:
        OutputError: the folder cannot be written.
    """
    write_record(benchmark, out)
    try:
        _write_csv(benchmark, out / "bench.csv")
        without = _picture(benchmark, out / PICTURE_NAME)
        (out / "bench.md").write_text(markdown(benchmark, picture=without is None), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{out} cannot be written ({error.strerror}); choose another folder.") from error
    return without


def _write_csv(benchmark: Benchmark, path: Path) -> None:
    columns = columns_of(benchmark.lines)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.key for column in columns])
        for line in benchmark.lines:
            writer.writerow([column.value(line) for column in columns])


def _picture(benchmark: Benchmark, path: Path) -> str | None:
    path.unlink(missing_ok=True)
    try:
        drawn = draw(benchmark, path)
    except ModuleNotFoundError as error:
        return f"There is no picture: {error.name} is not installed; pip install 'hemonode[train]'."
    return None if drawn else "There is no picture: no accuracy was measured before the end."
