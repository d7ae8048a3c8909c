"""How a tally stands: its state, the sentence that goes with it, what was refused, and what of that is news."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from hemonode.runtime.live.status import QualityStatus, TallyState

LOST = "This place does not join what was counted. Move back to where it was counted, or press New area to go on here."

_LOST_IS_NEWS_S = 1.0


class Standing:
    """State of one tally. `tell` is called with a sentence for each turn that is worth an event."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.state: TallyState = "counting"
        self.message: str | None = None
        self.refused: Counter[str] = Counter()
        self._tell = tell
        self._lost_since_s: float | None = None
        self._told = False

    def be(self, state: TallyState, message: str | None = None) -> None:
        """Take a state that someone asked for, or that lasts."""
        self.state, self.message = state, message

    def refuse(self, quality: QualityStatus) -> None:
        """A picture in which cells cannot be judged."""
        bad = next(gate for gate in quality.gates if not gate.ok)
        self.refused[bad.name] += 1
        self.be("refused", bad.advice)

    def lose(self) -> None:
        """A good picture whose place is not known. A moment of that is no news."""
        self.refused["lost"] += 1
        self.be("lost", LOST)
        now = time.monotonic()
        if self._lost_since_s is None:
            self._lost_since_s = now
        if now - self._lost_since_s > _LOST_IS_NEWS_S and not self._told:
            self._told = True
            self._tell(LOST)

    def find(self) -> None:
        """A good picture whose place is known."""
        if self._told:
            self._tell("The view is back where it was counted.")
        self._told, self._lost_since_s = False, None
        if self.state in ("lost", "refused"):
            self.be("counting")
