"""What the tests of `hemonode run` share: smears to run it on, and a way to run it as a person would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import pytest

from hemonode.cli import main
from hemonode.runtime.bundle.reader import Bundle

# Class ids: 1 white, 2 red, 3 platelet. One red cell is cut by the left edge, one by the bottom.
CELLS = [(1, 60, 60, 60), (2, 130, 40, 40), (2, 130, 100, 40), (2, 5, 130, 40), (2, 100, 155, 40), (3, 30, 110, 16)]


@dataclass(frozen=True)
class Finished:
    """How a command ended: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


class RunCommand(Protocol):
    def __call__(self, *arguments: object) -> Finished: ...


@pytest.fixture
def run(
    colour_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> RunCommand:
    """`run("smear.png", "-o", "out")` is `hemonode run smear.png -o out` in `tmp_path`, with the colour bundle."""

    def command(*arguments: object) -> Finished:
        monkeypatch.chdir(tmp_path)
        words = ["hemonode", "run", *map(str, arguments), "--bundle", str(colour_bundle.folder), "--engine", "cpu"]
        monkeypatch.setattr("sys.argv", words)
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        return Finished(status, *capsys.readouterr())

    return command


@pytest.fixture
def smear(tmp_path: Path, draw_cells) -> Path:
    """A picture of 170×160 px with a white cell, four red cells of 40 px, and a platelet."""
    path = tmp_path / "smear.png"
    cv2.imwrite(str(path), draw_cells(160, 170, CELLS))
    return path
