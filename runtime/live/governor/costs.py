"""What a frame costs on each solver setting, relative to the others: from the network's work until it is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hemonode.runtime.bundle.schema import SolverSetting

_NETWORK_EVALUATIONS = 12
"""The network without its ODE blocks costs about as much as so many evaluations of f (16 filters, blocks 4 to 6)."""

_FARTHEST = 2.0
"""A measured cost is believed up to this factor from the work: a load that changed at the same time is measured too."""

_FORGOTTEN_S = 60.0
"""Half of what was measured is forgotten in this time, for the same reason."""


def evaluations_of(setting: SolverSetting) -> int:
    """Of f in one pass, over all blocks."""
    return sum(block.evaluations for block in setting.blocks)


def works_of(settings: Sequence[SolverSetting]) -> dict[str, float]:
    """By setting: multiply-adds per pixel, or evaluations of f where not all settings tell those."""
    told = {setting.name: setting.multiply_adds_per_px for setting in settings}
    works = {name: work for name, work in told.items() if work is not None}
    if len(works) == len(told):
        return works
    return {setting.name: float(_NETWORK_EVALUATIONS + evaluations_of(setting)) for setting in settings}


class Costs:
    """Relative costs.

    Args:
        works: by setting, in any unit.
    """

    def __init__(self, works: Mapping[str, float]) -> None:
        self._works = dict(works)
        # How far the measured ratio was from that of the works, and when: (from, to) settings.
        self._measured: dict[tuple[str, str], tuple[float, float]] = {}

    def ratio(self, before: str, after: str, now_s: float) -> float:
        """How many times the engine's time on `before` it takes on `after`."""
        return self._expected(before, after) * self._correction(before, after, now_s)

    def learn(self, before: str, after: str, ratio: float, now_s: float) -> None:
        """It was seen to take so many times as long, in one load."""
        factor = ratio / self._expected(before, after)
        self._measured[before, after] = (min(max(factor, 1 / _FARTHEST), _FARTHEST), now_s)
        self._measured.pop((after, before), None)

    def forget(self) -> None:
        """The machine is another now."""
        self._measured.clear()

    def _expected(self, before: str, after: str) -> float:
        return self._works[after] / self._works[before]

    def _correction(self, before: str, after: str, now_s: float) -> float:
        if (after, before) in self._measured:
            return 1 / self._correction(after, before, now_s)
        factor, at_s = self._measured.get((before, after), (1.0, now_s))
        return float(factor ** (0.5 ** ((now_s - at_s) / _FORGOTTEN_S)))
