"""Read what Linux and a board tell in small files; what is not there, or not for us to read, is None."""

from __future__ import annotations

from pathlib import Path


def first_line(file: Path) -> str | None:
    """The first line of a file without its ends, or None."""
    told = lines(file)
    return told[0].strip() if told else None


def lines(file: Path) -> list[str]:
    """The lines of a file; none where it is not there or may not be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").replace("\0", "").splitlines()
    except OSError:
        # Another system, another board, a sensor that is asleep, or no right to read it: told nothing.
        return []


def number(file: Path) -> int | None:
    """The integer that a file holds, or None."""
    text = first_line(file)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
