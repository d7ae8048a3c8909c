"""The findings on a terminal, as they are made."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.text import Text

from hemonode.runtime.doctor.examine import Found


class Page:
    """Writes one finding after another under the headings of their checks.

    Args:
        console: where to; colours only where it is a terminal, the words stand anyway.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._heading = ""
        self._counted: Counter[str] = Counter()

    def show(self, found: Found) -> None:
        """One finding."""
        check, finding = found
        if check.heading != self._heading:
            self._console.print(Text(f"{chr(10) if self._heading else ''}{check.heading}", style="bold"))
            self._heading = check.heading
        self._counted[finding.colour] += 1
        self._console.print(Text.assemble("  ", (f"{finding.colour:<7}", finding.colour), finding.sentence))
        if finding.advice:
            self._console.print(Text(f"         → {finding.advice}", style="dim" if finding.colour == "green" else ""))

    def close(self) -> None:
        """The sum."""
        counts = ", ".join(f"{self._counted[colour]} {colour}" for colour in ("green", "yellow", "red"))
        verdict = (
            "Something does not work; do what stands under red." if self._counted["red"] else "hemonode works here."
        )
        self._console.print(f"\n{counts}. {verdict}")
