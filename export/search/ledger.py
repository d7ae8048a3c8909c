"""Measurements by name, each made once: what is known is not measured again, in this run or in one that goes on."""

from __future__ import annotations

from collections.abc import Callable

Values = tuple[float, ...]


class Ledger:
    """What was measured, by name.

    Args:
        entries: known already.
        on_new: called after each new measurement, with all of them.
    """

    def __init__(
        self, entries: dict[str, Values] | None = None, on_new: Callable[[dict[str, Values]], None] = lambda _: None
    ) -> None:
        self._entries = dict(entries or {})
        self._on_new = on_new

    def recall(self, name: str, measure: Callable[[], Values]) -> Values:
        """The measurement of that name, made now if it is not known."""
        if name not in self._entries:
            self._entries[name] = measure()
            self._on_new(self._entries)
        return self._entries[name]
