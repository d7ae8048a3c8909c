"""Names of results: printable, unique in a batch, and in the order a person counts in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def printable(text: str) -> str:
    """The text with a question mark for every byte of a file name that is not UTF-8, so that any file can hold it."""
    return text.encode("utf-8", "replace").decode()


def result_names(files: Sequence[Path]) -> list[str]:
    """One name for each file: its stem where that is unique, else stem-suffix, with a number where that is not enough.

    Names that differ only in case count as equal: memory sticks do not tell them apart.
    """
    stems = [printable(file.stem) for file in files]
    often = Counter(stem.casefold() for stem in stems)
    # Unique stems first, so that what another file is called never changes them.
    taken = {stem for stem, times in often.items() if times == 1}
    names = []
    for file, stem in zip(files, stems, strict=True):
        name = stem
        if often[stem.casefold()] > 1:
            base, number = f"{stem}-{printable(file.suffix).lstrip('.').lower()}", 2
            name = base
            while name.casefold() in taken:
                name, number = f"{base}-{number}", number + 1
            taken.add(name.casefold())
        names.append(name)
    return names


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which 2.png comes before 10.png."""
    # ASCII digits only: int() refuses some of the signs that \d takes for digits.
    parts = re.split(r"([0-9]+)", str(path))
    return [(1, int(part), "") if number % 2 else (0, 0, part) for number, part in enumerate(parts)]
