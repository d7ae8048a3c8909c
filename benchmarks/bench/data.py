"""Which data sets are meant: a folder, a description, or the name of a shipped one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hemonode.errors import DatasetError
from hemonode.train.metrics.run import DESCRIPTIONS

DESCRIPTION_NAME = "dataset.toml"


@dataclass(frozen=True)
class Located:
    """Data sets as `open_datasets` takes them, whatever folder a process runs in: absolute paths, or shipped names."""

    data: tuple[str, ...]
    roots: tuple[Path, ...]


def locate(data: Sequence[str], roots: Sequence[Path]) -> Located:
    """Find the descriptions and folders of data sets.

    Args:
        data: each a folder that holds a dataset.toml or is called as a shipped description, a dataset.toml, or the
            name of a shipped description.
        roots: the folders with the pictures, one each; none: where the descriptions are, or the folders themselves.

    Raises:
        DatasetError: a folder has no description.
    """
    given: Sequence[Path | None] = roots or [None] * len(data)
    pairs = [_locate(name, root) for name, root in zip(data, given, strict=True)]
    return Located(tuple(str(toml) for toml, _ in pairs), tuple(root for _, root in pairs))


def _locate(name: str, root: Path | None) -> tuple[str | Path, Path]:
    path = Path(name).absolute()
    if path.is_file():
        return path, (root or path.parent).absolute()
    if not path.is_dir():
        # The reader of descriptions knows the shipped names, and says which there are.
        return name, (root or DESCRIPTIONS).absolute()
    if (path / DESCRIPTION_NAME).is_file():
        return path / DESCRIPTION_NAME, (root or path).absolute()
    shipped = DESCRIPTIONS / f"{path.name}.toml"
    if shipped.is_file():
        return shipped, (root or path).absolute()
    raise DatasetError(
        f"{path} has no {DESCRIPTION_NAME} that says where its pictures and labels are; write one, or name a "
        "description with --data and this folder with --root."
    )
