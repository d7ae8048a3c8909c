"""Whatever interrupts `hemonode run`, what it has written stays valid and is all of what it says."""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hemonode.errors import OutputError
from hemonode.runtime.batch import outputs
from hemonode.runtime.batch.files import Table
from hemonode.runtime.segment import Segmenter


@pytest.fixture
def smears(smear: Path, tmp_path: Path) -> Path:
    """A folder with three equal pictures."""
    folder = tmp_path / "smears"
    folder.mkdir()
    for name in "abc":
        shutil.copy(smear, folder / f"{name}.png")
    return folder


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes; to a program it is as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_table_on_a_full_disk_ends_with_a_whole_row(tmp_path: Path) -> None:
    table = Table(tmp_path / "t.csv", ["a", "b"])
    for number in range(3):
        table.add([[number, "x" * 10], [number, "y" * 10]])
    with _files_up_to(100), pytest.raises(OutputError, match="make room"):
        table.add([[3, "x" * 10], [3, "y" * 10]])
    table.close()
    lines = (tmp_path / "t.csv").read_text().splitlines(keepends=True)
    assert all(line.endswith("\n") for line in lines)
    assert lines[-1].endswith("y\n"), "rows that belong together are written together"


def test_a_full_disk_stops_the_batch_with_its_cause(run, smears: Path, tmp_path: Path) -> None:
    with _files_up_to(2000):
        ended = run(smears, "-o", "out", "--red-cell-px", 40)
    assert ended.status == 1
    assert "overlays" in ended.err.splitlines()[-1]
    assert "make room" in ended.err.splitlines()[-1]
    assert _rows(tmp_path / "out" / "counts.csv") == []
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_ctrl_c_while_a_picture_is_written_waits_until_all_of_it_is_there(
    run, smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_picture = outputs.write_picture

    def interrupted(path: Path, pixels: object) -> None:
        if path.name == "b.png":
            os.kill(os.getpid(), signal.SIGINT)
        write_picture(path, pixels)

    monkeypatch.setattr(outputs, "write_picture", interrupted)
    ended = run(smears, "-o", "out", "--red-cell-px", 40, "--json")
    assert ended.status == 1
    assert "stopped by Ctrl-C after 2 pictures" in ended.err
    out = tmp_path / "out"
    assert [row["image"] for row in _rows(out / "counts.csv")] == ["a", "b"]
    assert {row["image"] for row in _rows(out / "cells.csv")} == {"a", "b"}
    for folder in ("masks", "overlays", "thumbnails"):
        assert sorted(file.stem for file in (out / folder).iterdir()) == ["a", "b"]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["state"] == "interrupted"
    assert [image["image"] for image in summary["images"]] == ["a", "b"]
    assert json.loads(ended.out) == summary
    assert "interrupted before the end" in (out / "index.html").read_text()


def test_what_no_one_foresaw_in_one_picture_does_not_cost_the_others(
    run, smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = Segmenter.segment
    calls = []

    def failing(self: Segmenter, *arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise ZeroDivisionError("oh")
        return segment(self, *arguments, **options)

    monkeypatch.setattr(Segmenter, "segment", failing)
    ended = run(smears, "-o", "out", "--red-cell-px", 40)
    assert ended.status == 1
    assert [row["image"] for row in _rows(tmp_path / "out" / "counts.csv")] == ["a", "c"]
    failure = json.loads((tmp_path / "out" / "summary.json").read_text())["failures"][0]
    assert failure["image"] == "b"
    assert "unexpected ZeroDivisionError: oh" in failure["error"]


def test_overwrite_leaves_nothing_of_the_earlier_run_and_all_of_a_persons_own(
    run, smears: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(smears, "-o", "out", "--red-cell-px", 40).status == 0
    (out / "masks" / "mine.png").touch()
    (out / "notes.txt").touch()
    with (out / "counts.csv").open("a") as file:
        file.write("../../smears/a,,,\n")  # a changed table must not lead out of the folder
    assert run(smears / "a.png", "-o", "out", "--red-cell-px", 40, "--overwrite", "--no-overlays").status == 0
    left = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
    assert left == {"counts.csv", "cells.csv", "summary.json", "notes.txt", "masks/a.png", "masks/mine.png"}
    assert sorted(file.name for file in smears.iterdir()) == ["a.png", "b.png", "c.png"]
