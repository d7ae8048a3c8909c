"""Measurements by name, each made once: what is known is not measured again, in this run or in one that goes on."""

from __future__ import annotations

from collections.abc import Callable

Values = tuple[float, ...]


class Ledger:
    """What was measured, by name.

    Args:
        entries: what is known already; new measurements are added to it.
        on_new: called after each new measurement.
    """

    def __init__(self, entries: dict[str, Values] | None = None, on_new: Callable[[], None] = lambda: None) -> None:
        self._entries = {} if entries is None else entries
        self._on_new = on_new

    def recall(self, name: str, measure: Callable[[], Values]) -> Values:
        """The measurement of that name, made now if it is not known."""
        if name not in self._entries:
            self._entries[name] = measure()
            self._on_new()
        return self._entries[name]
