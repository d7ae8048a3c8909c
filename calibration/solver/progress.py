"""How far a calibration is, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hemonode.export.search.measure import Advance


@contextmanager
def shown_progress(say: Console) -> Iterator[Advance]:
    """A bar for the part that is being done, with the time that it has left; nothing where nobody watches."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=say, transient=True, disable=not say.is_terminal) as bar:
        shown = bar.add_task("Reading pictures", total=None)
        part = ""

        def advance(description: str, done: int, total: int) -> None:
            nonlocal part
            # The time left is that of this kind of work.
            kind = description.partition(":")[0]
            if kind != part:
                part = kind
                bar.reset(shown, total=total)
            bar.update(shown, description=description, completed=done, total=total)

        yield advance
