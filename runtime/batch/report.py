"""What a batch says on the terminal: what runs, how far it is, what came of it. All on standard error."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hemonode.runtime.batch.names import printable
from hemonode.runtime.batch.summary import ImageRecord, Summary


def open_console() -> Console:
    """Standard error, as plain text: paths may hold what rich takes for markup."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)


def progress_bar(console: Console) -> Progress:
    """A bar with the time left; nothing where nobody watches."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def conclude(summary: Summary, out: Path, console: Console) -> None:
    """Say what was found, where it lies, and what the scale was."""
    cells = ", ".join(counted(count, name) for name, count in summary.total_visible.items())
    console.print(f"{counted(len(summary.images), 'picture')}: {cells}. Results in {printable(str(out))}")
    measured = _measured(summary.images)
    if measured:
        console.print(f"Red-cell diameter measured in the pictures: {measured} px (--red-cell-px sets it)")


def counted(count: int, name: str) -> str:
    """A count with its noun: "1 picture", "3 red cells"."""
    return f"{count} {name.replace('_', ' ')}{'' if count == 1 else 's'}"


def _measured(images: tuple[ImageRecord, ...]) -> str:
    found = [f"{image.red_cell_px:.0f}" for image in images if image.scale_source == "estimated"]
    if not found:
        return ""
    low, high = min(found, key=int), max(found, key=int)
    return low if low == high else f"{low} to {high}"
